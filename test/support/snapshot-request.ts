import type { SnapshotRequest } from '../../agent/source/source'

/** What sources are told where an operator has asked for nothing in particular. */
export function snapshotRequestOf(changes: Partial<SnapshotRequest> = {}): SnapshotRequest {
  return {
    ...{ host: 'guest', run: '20260131T040506Z-abz277', size: { kind: 'auto' }, exclude: [] },
    ...{ freeze: false, ebsKeepLast: true, ebsEngine: 'snapshot' },
    ...changes,
  }
}
