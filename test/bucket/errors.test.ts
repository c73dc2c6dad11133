import { AgentError } from '../../agent/errors'
import { s3ErrorCode, storeError, type Operation } from '../../agent/bucket/errors'

const UPLOADING: Operation = { name: 'UploadPart', bucket: 'backups', region: 'eu-west-1', key: 'data/daily/h/r/v.tar' }

/** An error as the SDK throws it for an answer of S3. */
function answered(status: number, name: string, more: object = {}): Error {
  return Object.assign(new Error(`${name} it is`), {
    name,
    $metadata: { httpStatusCode: status, attempts: 1 },
    ...more,
  })
}

test('what a provider of credentials has to say is passed on', () => {
  const explained = new AgentError('NO_CREDENTIALS', 'no instance profile', { hint: 'Attach one.' })
  expect(storeError(explained, UPLOADING)).toBe(explained)
})

test('S3’s own code survives the explanation', () => {
  expect(s3ErrorCode(storeError(answered(404, 'NoSuchUpload'), UPLOADING))).toBe('NoSuchUpload')
})
