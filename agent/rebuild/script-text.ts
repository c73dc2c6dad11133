import { formatArgv } from '../host/argv'
import type { Manifest } from '../run/manifest'
import type { RebuildPlan } from './rebuild'

/** A script for somebody to read before it is run: each command with its reason. */
export function formatRebuildScript(
  { run, host, system }: Manifest,
  { steps, notes }: Pick<RebuildPlan, 'steps' | 'notes'>,
): string {
  return [
    '#!/bin/sh',
    comment(`Rebuilds the volumes of ${host} as they were in run ${run}.`),
    comment('It DESTROYS what is on the disks that it names. Read it first; run it as root, from a rescue system.'),
    comment(
      'It stops at the first command that fails. pvcreate asks before it takes a disk that holds something, and refuses',
    ),
    comment(
      'one that is in use; without a terminal it refuses both. "wipefs --all DISK" clears one whose data is no longer needed.',
    ),
    ...notes.map((note) => comment(`NOTE: ${note}`)),
    'set -eux',
    ...steps.flatMap(({ purpose, argv }) => ['', comment(purpose), formatArgv(argv)]),
    '',
    comment('The fstab of the host:'),
    ...system.fstab.trimEnd().split('\n').map(comment),
    '',
  ].join('\n')
}

/** What others have written must neither end the comment nor hide anything from whoever reads it. */
function comment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')}`.trimEnd()
}
