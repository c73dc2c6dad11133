import { HOST_STATES } from '../../fleet/model/records'
import { resolve, resourceOf, synthesize } from './synthesize'

const { DashboardBody } = resourceOf(synthesize(), 'AWS::CloudWatch::Dashboard').Properties
const body = resolve(DashboardBody!) as string
const { widgets } = JSON.parse(body) as { widgets: readonly { properties: { title?: string; alarms?: string[] } }[] }

test('it has every state that a host can be in', () => {
  for (const state of HOST_STATES) expect(body).toContain(`"State","${state}"`)
})

test('it has all alarms', () => {
  expect(widgets.find(({ properties }) => properties.alarms)?.properties.alarms).toHaveLength(6)
})

test('it shows what S3 itself says of the bucket', () => {
  expect(body).toContain(
    '"AWS/S3","BucketSizeBytes","BucketName","snapstream-vault-1a2b3c","StorageType","DeepArchiveStorage"',
  )
})

test('it says where the page is', () => {
  expect(body).toContain('s3://snapstream-vault-1a2b3c/reports/index.html')
})
