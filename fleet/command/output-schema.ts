/** What each command of the operators' program tells programs. Schemas are for types and documents alone. */
import { z } from 'zod'
import { DEPTHS } from '../../agent/contract'
import { HOST_STATES } from '../model/records'

const host = z.string().describe("An instance's ARN, or the name that was given with `--host`.")

const state = z.enum(HOST_STATES)
const className = z.string().describe('Retention class.')
const runName = z.string().describe('Name of the run.')
/** All times of the fleet are S3's. */
const time = z.number()

const accountView = z.object({
  account: z.string().describe('Where hosts were looked for.'),
  region: z.string().describe('Its region.'),
  problem: z
    .string()
    .exactOptional()
    .describe('Why it could not be read, for people: its hosts are then not known, which is not the same as none.'),
})

const drill = z.object({
  class: className,
  run: runName,
  at: time.describe('When it was.'),
  ok: z.boolean().describe('Whether all came back as it was.'),
  restoreSeconds: z.number().describe('From the command to the last byte in place.'),
  restoredBytes: z.int().describe('How much was restored.'),
  entries: z.int().describe('Of how many files, directories and so on.'),
  problem: z.string().describe('What went wrong, for people; empty where nothing did.'),
  share: z
    .string()
    .exactOptional()
    .describe('Where not all of the run was restored: which part, such as `3/7`, or `part`.'),
})

const classView = z.object({
  class: className,
  state: state.describe('Of the host in this class.'),
  reason: z.string().describe('Why, for people.'),
  maxAgeHours: z.number().describe('How old the newest verified backup may be.'),
  overdue: z.boolean().describe('No verified backup is as young as it has to be, and there has been time to make one.'),
  runs: z.int().describe('How many there are.'),
  lastRunAt: time.exactOptional().describe('When the newest run was written.'),
  lastGoodAt: time.exactOptional().describe('When the newest one was that is complete, verified and rightly dated.'),
  lastGoodRun: z.string().exactOptional().describe('Its name.'),
  failuresInARow: z.int().describe('Since the last good run.'),
  damaged: z.literal(true).exactOptional().describe('The newest run did not read back, or objects of it are gone.'),
  storedBytes: z.int().describe('Of all its runs.'),
  suspicions: z.array(z.string()).describe('What is odd about the newest run, for people.'),
})

const hostView = z.object({
  host,
  name: z.string().exactOptional().describe('Its tag `Name`, or what it calls itself.'),
  account: z.string().exactOptional().describe('AWS account of the instance.'),
  region: z.string().exactOptional().describe('Its region.'),
  power: z.enum(['running', 'stopped', 'terminated']).exactOptional().describe('As EC2 has it, where it was asked.'),
  managed: z
    .object({
      ping: z.enum(['online', 'lost', 'inactive']).describe('Whether its SSM agent reports.'),
      lastPingAt: time.exactOptional().describe('When it last did.'),
    })
    .exactOptional()
    .describe('As Systems Manager has it; absent where it does not know it.'),
  expectedBy: z
    .array(z.enum(['tag', 'managed', 'manifest', 'list']))
    .describe('How it is known that there ought to be backups of it.'),
  state: state.describe('Of the worst of its classes.'),
  stateSince: time.describe('Since when it is so.'),
  reason: z.string().describe('Why, for people.'),
  advice: z.string().describe('What to do next, for people; empty where nothing needs to be done.'),
  overdue: z.boolean().describe('Whether one of its classes is.'),
  classes: z.array(classView).describe('A view for each class that counts.'),
  storedBytes: z.int().describe('Of all runs in them.'),
  drill: drill.exactOptional().describe('The newest restore on trial.'),
  leftOut: z
    .array(
      z.object({
        mountPoint: z.string().describe('Where the filesystem is mounted.'),
        reason: z.string().describe('Why it is not in the backup, for people.'),
      }),
    )
    .describe('Filesystems that the newest run of any class left out, or failed on.'),
})

const auditorSign = z.object({
  lastPassAt: time.exactOptional().describe('When it last wrote what it knows; absent where it never did.'),
  silent: z.boolean().describe('Whether that is longer ago than it may be.'),
})

export const statusOutput = z
  .object({
    auditor: auditorSign.describe('What is known of the auditor.'),
    at: time.describe('When the fleet was looked at.'),
    hosts: z.array(hostView).describe('All of them, the worst first.'),
    counts: z.record(state, z.int()).describe('How many hosts are in which state.'),
    overdue: z.int().describe('How many are overdue.'),
    accounts: z.array(accountView).describe('Where hosts were looked for.'),
    oldestProtectedHours: z
      .number()
      .exactOptional()
      .describe('Of the hosts that are protected: of their newest good runs, the age of the oldest.'),
  })
  .describe('The fleet, as `reports/fleet.json` has it too. Times are in seconds since 1970, by the clock of S3.')

const hostDebris = z.object({
  host,
  runs: z.int().describe('Its runs that have no manifest.'),
  mayBeRunning: z.int().describe('Of these, how many are so recent that they may not have ended yet.'),
  objects: z.int().describe('Objects of them.'),
  bytes: z.int().describe('Bytes of them.'),
  newestAt: time.describe('When the newest of these objects was written.'),
})

const unfinishedUpload = z.object({
  key: z.string().describe('What was to be written.'),
  initiatedAt: time.exactOptional().describe('When it was begun, where the server says so.'),
  mayBeRunning: z.boolean().describe('Whether that is so recent that the run may not have ended yet.'),
})

export const fleetDebrisOutput = z
  .object({
    hostsSeen: z.int().describe('Hosts that have any data.'),
    totalHosts: z.int().describe('Hosts that have data of runs without a manifest.'),
    runs: z.int().describe('Runs without a manifest, of all hosts.'),
    objects: z.int().describe('Objects of them.'),
    bytes: z.int().describe('Bytes of them.'),
    hosts: z.array(hostDebris).describe('Those with most bytes first.'),
    uploads: z
      .array(unfinishedUpload)
      .exactOptional()
      .describe('Unfinished uploads, at most 1,000. Absent where these credentials may not list them.'),
    totalUploads: z.int().exactOptional().describe('How many there are in all.'),
  })
  .describe('What lies in the bucket and is of no finished run.')

const runRecord = z.object({
  run: runName,
  writtenAt: time.describe('When its manifest was written.'),
  state: z
    .enum(['complete', 'incomplete', 'misdated', 'unreadable', 'unsupported', 'objects-missing', 'base-missing'])
    .describe('What became of it.'),
  verified: z.enum(DEPTHS).describe('How far its manifest says that it was verified.'),
  sizesOnly: z.literal(true).exactOptional().describe('Nothing but sizes was confirmed of something in it.'),
  volumes: z.int().describe('Volumes in it.'),
  objects: z.int().describe('Objects of its archives, and catalogs.'),
  entries: z.int().describe('Files, directories and so on.'),
  rawBytes: z.int().describe('Before compression.'),
  storedBytes: z.int().describe('Of its archives.'),
  catalogBytes: z.int().describe('Of its catalogs.'),
  seconds: z.number().describe('How long the host says that it took.'),
  recentEntries: z.int().exactOptional().describe('Entries modified within the day before.'),
  verdict: z
    .object({
      by: z.enum(['operator', 'host']).describe('Who verified it.'),
      depth: z.enum(['checksum', 'stream', 'source']).describe('How deep.'),
      ok: z.boolean().describe('Whether it read back.'),
      sizesOnly: z.literal(true).exactOptional().describe('Nothing but sizes was confirmed.'),
      at: time.describe('When.'),
    })
    .exactOptional()
    .describe('The last word of whoever verified it later.'),
  presentAt: time.exactOptional().describe('When its objects were last seen to be there.'),
  bases: z
    .array(runName)
    .exactOptional()
    .describe('Of a run with differential archives: the runs that have the bases, without which it is worth nothing.'),
  superseded: z.literal(true).exactOptional().describe('It may expire: newer good runs have made it dispensable.'),
})

const runDetail = z.object({
  run: runName,
  hostname: z.string().describe('What the host calls itself.'),
  os: z.string().describe('Its operating system.'),
  agentVersion: z.string().describe('Of the agent that made the run.'),
  volumes: z
    .array(
      z.object({
        volume: z.string().describe('Name of the volume.'),
        mountPoint: z.string().describe('Where it is mounted.'),
        filesystem: z.string().describe('Of which type it is.'),
        source: z.string().describe('What took its snapshot.'),
        entries: z.int().describe('Files, directories and so on.'),
        rawBytes: z.int().describe('Before compression.'),
        storedBytes: z.int().describe('As it is stored.'),
        base: z.string().exactOptional().describe('Of a differential archive: the run that has its base.'),
        warnings: z.int().describe('What could not be backed up although tar succeeded.'),
      }),
    )
    .describe('What it has.'),
  failures: z
    .array(
      z.object({
        volume: z.string().describe('Name of the volume.'),
        mountPoint: z.string().describe('Where it is mounted.'),
        code: z.string().describe('An error code.'),
        message: z.string().describe('What happened, for people.'),
        hint: z.string().describe('What to do about it, for people.'),
      }),
    )
    .describe('Volumes that are not in it because something failed.'),
  notBackedUp: z
    .array(
      z.object({
        mountPoint: z.string().describe('Where the filesystem is mounted.'),
        filesystem: z.string().describe('Of which type it is.'),
        reason: z.string().describe('Why it is not in it.'),
      }),
    )
    .describe('Filesystems that cannot be backed up.'),
})

const explanation = z.object({
  host,
  class: z.string().exactOptional().describe('Retention class, where it is known.'),
  at: time.describe('When it was.'),
  what: z
    .enum(['undeliverable', 'timed-out', 'cancelled', 'failed', 'cut-off', 'no-invocation'])
    .describe('What became of a command or of a maintenance window.'),
  detail: z.string().describe('One line for people.'),
})

export const hostOutput = z
  .object({
    at: time.describe('When the fleet was looked at, in seconds since 1970.'),
    view: hostView.describe('What is to be thought of it.'),
    classes: z
      .array(
        z.object({
          class: className,
          runs: z.array(runRecord).describe('Newest first.'),
          newest: runDetail.exactOptional().describe('What the newest run says of the host: its word.'),
        }),
      )
      .describe('Its runs, class by class.'),
    explanations: z.array(explanation).describe('Why a backup may be missing, as Systems Manager recorded it.'),
  })
  .describe('All that is known of a host.')

export const reportOutput = z
  .object({
    hosts: z.int().describe('How many are in it.'),
    files: z
      .array(z.object({ file: z.string().describe('Where it is.'), bytes: z.int().describe('How large it is.') }))
      .describe('What was written.'),
  })
  .describe('A report was written.')

export const forgetOutput = z
  .object({ host, storedBytes: z.int().describe('Of its runs, which may now expire.') })
  .describe('A host is to be forgotten.')

const perMonth = z.number().describe('What it costs in a month.')

export const costOutput = z
  .object({
    currency: z.string().describe('As ISO 4217 has it.'),
    perMonth,
    storedBytes: z.int().describe('Of all runs.'),
    classes: z
      .array(
        z.object({
          class: className,
          storageClass: z.string().describe('That archives are in at their age.'),
          runs: z.int().describe('Runs in both.'),
          storedBytes: z.int().describe('Of them.'),
          perMonth,
          note: z.string().describe('A trap, for people; empty where there is none.'),
        }),
      )
      .describe('Retention classes in storage classes, the dearest first.'),
    hosts: z.array(z.object({ host, perMonth })).describe('The dearest first.'),
    gone: z
      .object({ hosts: z.int().describe('How many.'), perMonth })
      .describe('Terminated hosts whose last runs are kept.'),
    whatIf: z
      .array(
        z.object({
          class: className,
          storageClass: z.string().exactOptional().describe('For all of its archives; absent: as they are now.'),
          perMonth,
          readBack: z.number().describe('To read the newest good backup of every host once.'),
          note: z.string().describe('A trap, for people; empty where there is none.'),
        }),
      )
      .describe('What other storage classes would cost.'),
    notes: z.array(z.string()).describe('Which prices, and what is not in them, for people.'),
  })
  .describe('An estimate.')
