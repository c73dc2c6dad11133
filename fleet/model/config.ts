/** What is expected of a fleet: made by the deployment, read by the auditor and, from the state that it writes, by everybody else. */
import { z } from 'zod'
import { CLASS_PATTERN, HOST_PATTERN } from '../../agent/contract'

const className = z.string().regex(new RegExp(CLASS_PATTERN))
const hostName = z.string().regex(new RegExp(HOST_PATTERN))

/** Newer good runs that have to be there before an older one may expire. */
export const KEEP_AT_LEAST = 3
/** Failures in a row after which a host is failing, and not just unlucky. */
export const FAILING_AFTER = 3
/** A nightly backup that took longer, or began later, is not late yet. */
export const DAILY_MAX_AGE_HOURS = 36

export const classPolicySchema = z.object({
  name: className,
  /** How old the newest verified backup may be: the recovery point objective. */
  maxAgeHours: z.number().positive(),
  keepAtLeast: z.int().min(1).default(KEEP_AT_LEAST),
  expireAfterDays: z.int().min(1),
  /** How much older than a differential run its base may be: what is stored stays longer by as much. 0: all runs are full. */
  fullEveryDays: z.int().min(0).default(0),
  storageClass: z.string().default('STANDARD'),
  transitions: z.array(z.object({ afterDays: z.int().min(0), storageClass: z.string() })).default([]),
})

const tagSchema = z.object({ key: z.string().min(1), value: z.string() })

export const fleetConfigSchema = z.object({
  classes: z.array(classPolicySchema),
  /** Instances that bear the tag are expected to have backups of the class. */
  schedules: z.array(z.object({ name: z.string(), class: className, tag: tagSchema })),
  /** Hosts that no inventory shows, such as those outside of AWS. */
  expectedHosts: z.array(z.object({ host: hostName, classes: z.array(className).min(1) })).default([]),
  /** Where expected hosts are looked for: without a role, with the credentials at hand. */
  accounts: z.array(z.object({ account: z.string(), region: z.string(), roleArn: z.string().optional() })).default([]),
  failingAfter: z.int().min(1).default(FAILING_AFTER),
  /** How long the last runs of a terminated host are kept; absent: for ever. */
  forgetAfterDays: z.int().min(1).optional(),
})

export type ClassPolicy = Readonly<z.infer<typeof classPolicySchema>>
export type FleetConfig = Readonly<z.infer<typeof fleetConfigSchema>>
