import { formatArgv } from '../host/argv'
import type { Manifest } from '../run/manifest'
import type { RebuildStep } from '../source/rebuild-step'
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
      'It stops at the first command that fails, and at disks that hold something; where there is only LVM on them, pvcreate asks',
    ),
    comment('first if it has a terminal. "wipefs --all DISK" clears a disk whose data is no longer needed.'),
    ...notes.map((note) => comment(`NOTE: ${note}`)),
    'set -eux',
    ...steps.flatMap((step) => ['', comment(step.purpose), ...formatCommand(step)]),
    '',
    comment('The fstab of the host:'),
    ...system.fstab.trimEnd().split('\n').map(comment),
    '',
  ].join('\n')
}

/** With its input as a here-document, in which a shell replaces nothing. */
function formatCommand({ argv, input }: RebuildStep): string[] {
  if (input === undefined) return [formatArgv(argv)]
  const lines = input.trimEnd().split('\n')
  const ends = ['END', ...lines.map((_, index) => `END${index}`)]
  const end = ends.find((word) => !lines.includes(word)) ?? ''
  return [`${formatArgv(argv)} <<'${end}'`, ...lines, end]
}

/** What others have written must neither end the comment nor hide anything from whoever reads it. */
function comment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')}`.trimEnd()
}
