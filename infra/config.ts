/**
 * What is deployed where. Each stage is a stack of its own: `npx cdk deploy` deploys `default`,
 * `npx cdk deploy -c stage=<name>` another.
 */
import type { AuditorOptions } from './auditor'
import type { DrillsOptions } from './drill-schedule'
import type { HostAccessOptions } from './host-access'
import type { NotificationsOptions } from './notifications'
import type { OperatorRolesOptions } from './operator-roles'
import type { RetentionClass } from './retention'
import type { Schedule } from './schedule'
import type { CentralVault, VaultOptions } from './vault'

export interface StageConfig {
  /**
   * @default - the account and region of the credentials that deploy
   */
  readonly env?: { readonly account: string; readonly region: string }
  readonly retention: readonly RetentionClass[]
  readonly schedules: readonly Schedule[]
  /**
   * How the bucket is made; or which bucket of another account is used, with the same retention classes as there.
   * @default - encryption by S3, no Object Lock, no second copy
   */
  readonly vault?: VaultOptions | CentralVault
  /** @default - one policy, attached to the role that is made with it */
  readonly hosts?: HostAccessOptions & {
    /**
     * Whether hosts may read their own backups, which restoring on the host and `verify --depth stream` need. Without
     * it, an intruder on a host cannot even read what the host once was.
     * @default true
     */
    readonly read?: boolean
  }
  /**
   * Restores on trial, on machines that are there for it.
   * @default - none: nobody knows whether backups can be restored before they have to be
   */
  readonly drills?: DrillsOptions
  /** @default - whoever in this account may assume roles */
  readonly operators?: OperatorRolesOptions
  /**
   * What is expected of the fleet, and how the auditor tells of it; with the vault of another account, that one has the auditor.
   * @default - what the schedules say
   */
  readonly fleet?: AuditorOptions
  /** @default - a topic that nobody has subscribed to */
  readonly notifications?: NotificationsOptions
  /**
   * `bundled` installs Node with the agent; `system` uses the Node 24 or later that hosts have.
   * @default 'bundled'
   */
  readonly nodeRuntime?: 'bundled' | 'system'
}

/** How old the base of a nightly run may be: a full run each week, and what has changed since on the nights between. */
const FULL_EVERY_DAYS = 7

const everyNight: StageConfig = {
  retention: [
    { name: 'daily', expireAfterDays: 35, fullEveryDays: FULL_EVERY_DAYS },
    {
      name: 'weekly',
      expireAfterDays: 180,
      transitions: [
        { afterDays: 30, storageClass: 'STANDARD_IA' },
        { afterDays: 90, storageClass: 'GLACIER' },
      ],
    },
    {
      name: 'monthly',
      expireAfterDays: 400,
      storageClass: 'GLACIER_IR',
      transitions: [{ afterDays: 90, storageClass: 'DEEP_ARCHIVE' }],
    },
  ],
  schedules: [
    { name: 'nightly', cron: 'cron(0 1 ? * * *)', class: 'daily', tag: { key: 'Backup', value: 'true' } },
    { name: 'weekly', cron: 'cron(0 4 ? * SUN *)', class: 'weekly', tag: { key: 'Backup', value: 'true' } },
    { name: 'monthly', cron: 'cron(0 7 1 * ? *)', class: 'monthly', tag: { key: 'Backup', value: 'true' } },
  ],
}

export const STAGES: Readonly<Record<string, StageConfig>> = {
  default: everyNight,
}
