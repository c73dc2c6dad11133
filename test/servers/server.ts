/** An S3 server and an identity that may do everything there. */
export interface Server {
  readonly name: 'radosgw' | 'seaweedfs' | 'moto'
  /** On this host's loopback interface. Guests reach it at {@link guestEndpoint}. */
  readonly endpoint: string
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Holds its configuration and logs. */
  readonly directory: string
}

/** A server that is to be stopped by who started it. */
export interface RunningServer extends Server {
  stop(): Promise<void>
}

/** The server's endpoint as a guest sees it, whose network shows it this host's loopback interface as 10.0.2.2. */
export function guestEndpoint(server: Pick<Server, 'endpoint'>): string {
  const url = new URL(server.endpoint)
  url.hostname = '10.0.2.2'
  return url.origin
}
