/** All that the page knows of one host. */
import { formatBytes } from '../../../agent/lib/text'
import { ageOf, shortName } from '../../model/wording'
import { advice, stateChip } from './chip.io'
import { element, type Child } from './dom.io'
import type { Fleet, Host } from './fleet'
import { formatRatio, formatTime } from './words'
import { ratioOf } from './series'

export function hostDetails(host: Host, { at }: Fleet): HTMLElement {
  const { classes, failures, volumes, leftOut, drill } = host
  return element(
    'div',
    { class: 'details' },
    element(
      'dl',
      {},
      ...pair('Name in the bucket', element('bdi', { class: 'mono' }, host.key)),
      ...pair(
        'Expected because of',
        host.expectedBy === '' ? 'nothing: it has backups' : host.expectedBy.replaceAll(' ', ', '),
      ),
      ...(host.power === '' ? [] : pair('EC2', host.power)),
      ...(host.ping === '' ? [] : pair('Systems Manager', host.ping)),
      ...(host.advice === '' ? [] : pair('What to do', element('span', {}, ...advice(host.advice)))),
      ...pair('All of it', element('code', {}, `snapstream-fleet host ${shortName(host.key)}`)),
      ...(drill
        ? pair('Last restore', `${drill.ok ? 'proven' : 'FAILED'} ${ageOf(drill.at, at)} ago, of run ${drill.run}`)
        : pair('Last restore', 'never tried')),
    ),
    classes.length > 0 &&
      smallTable(
        'Classes',
        ['Class', 'State', 'Why', 'Newest good run', 'Runs', 'Stored'],
        classes.map((of) => [
          of.class,
          stateChip(of.state),
          [of.reason, ...of.suspicions.split('\n')].filter(Boolean).join('; '),
          of.lastGoodRun === '' ? 'none' : `${of.lastGoodRun} (${formatTime(of.lastGoodAt ?? 0)})`,
          of.count,
          formatBytes(of.storedBytes),
        ]),
      ),
    failures.length > 0 &&
      smallTable(
        'What failed in the newest run',
        ['Class', 'Filesystem', 'What happened', 'What to do'],
        failures.map(({ class: name, mountPoint, code, message, hint }) => [
          name,
          mountPoint,
          `${code}: ${message}`,
          hint,
        ]),
      ),
    volumes.length > 0 &&
      smallTable(
        'Filesystems of the newest run',
        ['Class', 'Filesystem', 'Kind', 'Source', 'Size', 'Stored', 'Ratio', 'Warnings'],
        volumes.map((of) => [
          ...[of.class, of.mountPoint, of.filesystem, of.source, formatBytes(of.rawBytes), formatBytes(of.storedBytes)],
          ...[formatRatio(ratioOf(of.rawBytes, of.storedBytes)), of.warnings],
        ]),
      ),
    leftOut.length > 0 &&
      smallTable(
        'Not in any backup',
        ['Filesystem', 'Why'],
        leftOut.map(({ mountPoint, reason }) => [mountPoint, reason]),
      ),
  )
}

function pair(title: string, value: Child): HTMLElement[] {
  return [element('dt', {}, title), element('dd', {}, value)]
}

function smallTable(title: string, heads: readonly string[], rows: readonly (readonly Child[])[]): HTMLElement {
  return element(
    'table',
    {},
    element('caption', {}, title),
    element('thead', {}, element('tr', {}, ...heads.map((head) => element('th', { scope: 'col' }, head)))),
    element('tbody', {}, ...rows.map((row) => element('tr', {}, ...row.map((cell) => element('td', {}, cell))))),
  )
}
