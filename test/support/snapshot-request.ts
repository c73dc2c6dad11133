import { NO_TAGS } from '../../agent/tar/tags'
import type { SnapshotRequest } from '../../agent/source/source'

/** What sources are told where an operator has asked for nothing in particular. */
export function snapshotRequestOf(changes: Partial<SnapshotRequest> = {}): SnapshotRequest {
  return {
    ...{ host: 'guest', run: '20260131T040506Z-abz277', size: { kind: 'auto' }, exclude: [], tags: NO_TAGS },
    ...{ freeze: false, ebsKeepLast: true, ebsEngine: 'snapshot' },
    ...changes,
  }
}
