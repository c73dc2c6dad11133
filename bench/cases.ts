/** What is measured against what. A case is data: a source, the agent's way, and the other ways to do the same. */
import { catalogKey, dataKey, type Compression } from '../agent/contract'
import { formatArgv } from '../agent/host/argv'
import { tarCreate, tarExtract } from '../agent/tar/commands'
import { runKeyOf } from './run-key'

export type SourceName = 'big' | 'small'

/** What command lines for uploads are made from. */
export interface UploadSetting {
  /** Directories of the sources. */
  readonly sources: Readonly<Record<SourceName, string>>
  /** Of the sink. */
  readonly endpointUrl: string
  readonly aws: string
  /** Programs that were bundled for this run. */
  readonly programs: Readonly<Record<'agent' | 'agentWithoutScanner' | 'libStorage', string>>
}

/** What command lines for restores are made from. */
export interface RestoreSetting {
  /** Directory with the objects of both compressions. */
  readonly objects: string
  /** Of servers that give them: as fast as they can, and as S3 does, slowly on each of many connections. */
  readonly endpointUrls: Readonly<Record<'uncapped' | 'capped', string>>
  /** Directory to restore into. */
  readonly target: string
  readonly aws: string
  /** The agent's restore, bundled for this run. */
  readonly agent: string
}

/** What command lines for searches are made from. */
export interface FindSetting {
  /** Directory with the manifest and the catalog. */
  readonly objects: string
  readonly endpointUrl: string
  /** The agent as it ships. */
  readonly agent: string
}

/** A shell's command line. */
type Command<Setting> = (setting: Setting) => string

export interface BenchCase<Setting> {
  readonly name: string
  readonly subject: Command<Setting>
  readonly peers: Readonly<Record<string, Command<Setting>>>
  /** How often each is run. */
  readonly pairs: number
}

type Upload = Command<UploadSetting>
type Restore = Command<RestoreSetting>

const tar = ({ sources }: UploadSetting, source: SourceName) => formatArgv(tarCreate(sources[source]))
const key = 'data/bench/archive'

const agent =
  (source: SourceName, compression: Compression, program: 'agent' | 'agentWithoutScanner' = 'agent'): Upload =>
  ({ programs, sources, endpointUrl }) =>
    formatArgv([process.execPath, programs[program], sources[source], compression, endpointUrl])

const toCat =
  (source: SourceName): Upload =>
  (setting) =>
    `${tar(setting, source)} | cat >/dev/null`

const toZstd =
  (source: SourceName): Upload =>
  (setting) =>
    `${tar(setting, source)} | zstd -T0 -3 --quiet | cat >/dev/null`

const toAws =
  (source: SourceName): Upload =>
  (setting) =>
    `${tar(setting, source)} | ${setting.aws} s3 cp --quiet --endpoint-url ${setting.endpointUrl} - s3://bench/${key}`

const toLibStorage =
  (source: SourceName): Upload =>
  (setting) =>
    `${tar(setting, source)} | ${formatArgv([process.execPath, setting.programs.libStorage, setting.endpointUrl])}`

export const UPLOAD_CASES: readonly BenchCase<UploadSetting>[] = [
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

/** Empties the target first: removing what is there costs all of them the same. */
const into = (target: string, command: string) => `rm -rf ${target}; mkdir -p ${target}/srv; ${command}`

const extract = (target: string) => formatArgv(tarExtract(`${target}/srv`))

const agentRestore =
  (compression: Compression, speed: 'uncapped' | 'capped'): Restore =>
  ({ agent: program, endpointUrls, target }) =>
    into(target, formatArgv([process.execPath, program, compression, endpointUrls[speed], target]))

const awsToTar =
  (speed: 'uncapped' | 'capped'): Restore =>
  ({ aws, endpointUrls, target }) => {
    const url = `s3://bench/${dataKey(runKeyOf('none'), 'vg0-srv', 'none', 0)}`
    const copy = `${aws} s3 cp --only-show-errors --endpoint-url ${endpointUrls[speed]} ${url} -`
    return into(target, `${copy} | ${extract(target)}`)
  }

const catToTar =
  (compression: Compression): Restore =>
  ({ objects, target }) => {
    const file = `${objects}/${dataKey(runKeyOf(compression), 'vg0-srv', compression, 0)}`
    return into(target, `cat ${file} | ${compression === 'zstd' ? 'zstd -d | ' : ''}${extract(target)}`)
  }

export const RESTORE_CASES: readonly BenchCase<RestoreSetting>[] = [
  {
    name: 'one file of 2 GiB, uncompressed, 80 MB/s per connection and 20 ms per request',
    subject: agentRestore('none', 'capped'),
    peers: { 'aws s3 cp - | tar x': awsToTar('capped') },
    pairs: 3,
  },
  {
    name: 'one file of 2 GiB, uncompressed',
    subject: agentRestore('none', 'uncapped'),
    peers: { 'cat file | tar x': catToTar('none'), 'aws s3 cp - | tar x': awsToTar('uncapped') },
    pairs: 5,
  },
  {
    name: 'one file of 2 GiB, zstd -3',
    subject: agentRestore('zstd', 'uncapped'),
    peers: { 'cat file | zstd -d | tar x': catToTar('zstd') },
    pairs: 5,
  },
]

const find =
  (pattern: string): Command<FindSetting> =>
  ({ agent: program, endpointUrl }) => {
    const { class: className, host, run } = runKeyOf('zstd')
    const place = ['--bucket', 'bench', '--class', className, '--host', host, '--run', run]
    return formatArgv([
      process.execPath,
      program,
      'find',
      pattern,
      ...place,
      '--endpoint-url',
      endpointUrl,
      '--trust-times',
      '--json',
    ])
  }

/** What an operator would do who has only the object; it knows no patterns, and its last word is a count. */
const grep =
  (text: string): Command<FindSetting> =>
  ({ objects }) =>
    `zstd -dc ${objects}/${catalogKey(runKeyOf('zstd'), 'vg0-srv')} | grep --count --fixed-strings ${text}`

export const FIND_CASES: readonly BenchCase<FindSetting>[] = [
  {
    name: 'one name among a million entries',
    subject: find('app-77/releases/7777'),
    peers: { 'zstd -dc | grep': grep('app-77/releases/7777') },
    pairs: 5,
  },
  {
    name: 'a pattern that 990,000 of a million entries match',
    subject: find('*.conf'),
    peers: { 'zstd -dc | grep': grep('.conf') },
    pairs: 5,
  },
]
