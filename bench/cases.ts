/** What is measured against what. A case is data: a source, the agent's way, and the other ways to do the same. */
import type { Compression } from '../agent/contract'
import { formatArgv } from '../agent/plan/command'
import { tarCreate } from '../agent/plan/tar'

export type SourceName = 'big' | 'small'

/** What command lines are made from. */
export interface Setting {
  /** Directories of the sources. */
  readonly sources: Readonly<Record<SourceName, string>>
  /** Of the sink. */
  readonly endpointUrl: string
  readonly aws: string
  /** Programs that were bundled for this run. */
  readonly programs: Readonly<Record<'agent' | 'agentWithoutScanner' | 'libStorage', string>>
}

/** A shell's command line. */
type Command = (setting: Setting) => string

export interface BenchCase {
  readonly name: string
  readonly subject: Command
  readonly peers: Readonly<Record<string, Command>>
  /** How often each is run. */
  readonly pairs: number
}

const tar = ({ sources }: Setting, source: SourceName) => formatArgv(tarCreate(sources[source]))
const key = 'data/bench/archive'

const agent =
  (source: SourceName, compression: Compression, program: 'agent' | 'agentWithoutScanner' = 'agent'): Command =>
  ({ programs, sources, endpointUrl }) =>
    formatArgv([process.execPath, programs[program], sources[source], compression, endpointUrl])

const toCat =
  (source: SourceName): Command =>
  (setting) =>
    `${tar(setting, source)} | cat >/dev/null`

const toZstd =
  (source: SourceName): Command =>
  (setting) =>
    `${tar(setting, source)} | zstd -T0 -3 --quiet | cat >/dev/null`

const toAws =
  (source: SourceName): Command =>
  (setting) =>
    `${tar(setting, source)} | ${setting.aws} s3 cp --quiet --endpoint-url ${setting.endpointUrl} - s3://bench/${key}`

const toLibStorage =
  (source: SourceName): Command =>
  (setting) =>
    `${tar(setting, source)} | ${formatArgv([process.execPath, setting.programs.libStorage, setting.endpointUrl])}`

export const UPLOAD_CASES: readonly BenchCase[] = [
  {
    name: 'one file of 2 GiB, uncompressed',
    subject: agent('big', 'none'),
    peers: { 'tar | cat': toCat('big'), 'tar | aws s3 cp -': toAws('big'), 'tar | lib-storage': toLibStorage('big') },
    pairs: 5,
  },
  {
    name: '120,000 small files, uncompressed',
    subject: agent('small', 'none'),
    peers: {
      'tar | cat': toCat('small'),
      'tar | aws s3 cp -': toAws('small'),
      'tar | lib-storage': toLibStorage('small'),
      'agent without catalog scanner': agent('small', 'none', 'agentWithoutScanner'),
    },
    pairs: 5,
  },
  {
    name: 'one file of 2 GiB, zstd -3',
    subject: agent('big', 'zstd'),
    peers: { 'tar | zstd -T0 -3 | cat': toZstd('big') },
    pairs: 5,
  },
  {
    name: '120,000 small files, zstd -3',
    subject: agent('small', 'zstd'),
    peers: { 'tar | zstd -T0 -3 | cat': toZstd('small') },
    pairs: 5,
  },
]
