import { refusalOf } from '../support/refusal'
import { failure, success } from '../support/scripted-s3'
import type { Step } from '../support/scripted-s3'
import { signal, scene } from './scripted-store'

const scripted = scene()

describe('the facts of a bucket', () => {
  const facts = async (answer: Step) => (await scripted.storeAt({ GetBucketVersioning: [answer] })).readFacts(signal)
  const versioning = (xml: string) => success(`<VersioningConfiguration>${xml}</VersioningConfiguration>`)

  test.each([
    ['Enabled', versioning('<Status>Enabled</Status>')],
    ['Suspended', versioning('<Status>Suspended</Status>')],
    ['Off', versioning('')],
    ['unknown', failure(403, 'AccessDenied')],
  ])('its versioning is %s', async (expected, answer) => {
    expect(await facts(answer)).toMatchObject({ region: 'eu-west-1', versioning: expected })
  })

  test('a clock that is an hour behind is found out', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    const { clockSkewSeconds } = await facts({ ...versioning(''), headers: { date } })
    expect(Math.round(clockSkewSeconds / 10)).toBe(360)
  })

  test.each([
    ['may not ask for anything', [failure(403, 'AccessDenied')]],
    ['is so late that its first request is refused', [failure(403, 'RequestTimeTooSkewed'), versioning('')]],
  ])('so is one of a host that %s', async (_, answers) => {
    const headers = { date: new Date(Date.now() + 3_600_000).toUTCString() }
    const steps = answers.map((answer) => ({ ...answer, headers }))
    const { clockSkewSeconds } = await (await scripted.storeAt({ GetBucketVersioning: steps })).readFacts(signal)
    expect(Math.round(clockSkewSeconds / 10)).toBe(360)
  })

  test.each<[string, Step]>([
    ['redirects', { ...failure(301, 'PermanentRedirect'), headers: { 'x-amz-bucket-region': 'us-west-2' } }],
    ['refuses the signature', failure(400, 'AuthorizationHeaderMalformed', '<Region>us-west-2</Region>')],
  ])('a bucket in another region is named with its region, where S3 %s', async (_, answer) => {
    expect(await refusalOf(facts(answer))).toEqual({
      code: 'BUCKET_REGION',
      message: 'bucket backups is in us-west-2, not in eu-west-1',
      hint: 'Set --region us-west-2, or use the bucket of this region.',
    })
  })
})
