/** The commands as functions; what they tell programs is held against its schema whenever one of them is called. */
import * as backups from '../../agent/backup/backup.io'
import * as cleaning from '../../agent/backup/cleanup.io'
import * as checking from '../../agent/backup/preflight.io'
import * as drilling from '../../agent/drill/drill.io'
import * as finding from '../../agent/find/find.io'
import * as listingHosts from '../../agent/find/list-hosts.io'
import * as listing from '../../agent/find/list.io'
import * as rebuilding from '../../agent/rebuild/restore-plan.io'
import * as restoring from '../../agent/restore/restore.io'
import * as waiting from '../../agent/restore/status.io'
import * as verifying from '../../agent/verify/verify.io'
import { describedBy } from './last-line'

export const backUpHost = describedBy('backup', backups.backUpHost)
export const cleanUpHost = describedBy('cleanup', cleaning.cleanUpHost)
export const preflight = describedBy('preflight', checking.preflight)
export const drill = describedBy('drill', drilling.drill)
export const find = describedBy('find', finding.find)
export const listHosts = describedBy('list', listingHosts.listHosts)
export const list = describedBy('list', listing.list)
export const restorePlan = describedBy('restore-plan', rebuilding.restorePlan)
export const restore = describedBy('restore', restoring.restore)
export const restoreStatus = describedBy('restore-status', waiting.restoreStatus)
export const verify = describedBy('verify', verifying.verify)
