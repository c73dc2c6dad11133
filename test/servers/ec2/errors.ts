/** What EC2 answers instead of doing it. */
export class Ec2Error extends Error {
  /** For programs: `InvalidVolume.NotFound`. */
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** All others are 400: clients have to go by the code. */
const STATUSES: Readonly<Record<string, number>> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  DryRunOperation: 412,
  InternalError: 500,
  RequestLimitExceeded: 503,
  Unavailable: 503,
}

export function statusOf(code: string): number {
  return STATUSES[code] ?? 400
}
