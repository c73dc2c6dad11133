import { serve, type HttpServer } from './http-server'

export interface MetadataOptions {
  readonly region?: string
  readonly partition?: string
  /** Access key id of the instance profile; without it the instance has none. */
  readonly profileKeyId?: string
  readonly expiration?: string
  /** Overrides the instance identity document. */
  readonly document?: string
  /** What else there is, by its path below `/latest/`. */
  readonly facts?: Readonly<Record<string, string | Buffer>>
}

const TOKEN = 'a-session-token'

/** An instance metadata service that insists on session tokens, as IMDSv2 does. */
export async function serveMetadata(options: MetadataOptions = {}): Promise<HttpServer> {
  const { region = 'eu-west-1', partition = 'aws', profileKeyId } = options
  const texts: Record<string, string | Buffer> = {
    '/latest/dynamic/instance-identity/document':
      options.document ?? JSON.stringify({ region, accountId: '111122223333', instanceId: 'i-0abc1234def567890' }),
    '/latest/meta-data/services/partition': partition,
    ...(profileKeyId && {
      '/latest/meta-data/iam/security-credentials/': 'backup-role',
      '/latest/meta-data/iam/security-credentials/backup-role': JSON.stringify({
        Code: 'Success',
        Type: 'AWS-HMAC',
        AccessKeyId: profileKeyId,
        SecretAccessKey: 'profile-secret',
        Token: 'profile-token',
        Expiration: options.expiration ?? new Date(Date.now() + 3600_000).toISOString(),
      }),
    }),
    ...Object.fromEntries(Object.entries(options.facts ?? {}).map(([path, text]) => [`/latest/${path}`, text])),
  }
  return serve((request, response) => {
    if (request.method === 'PUT' && request.url === '/latest/api/token') {
      response.end(TOKEN)
      return
    }
    const text = texts[request.url ?? '']
    if (request.headers['x-aws-ec2-metadata-token'] !== TOKEN) response.writeHead(401).end()
    else if (text === undefined) response.writeHead(404).end()
    else response.end(text)
  })
}
