/**
 * Pages of the documentation that the agent brings with it: a host has no other when something is lost and nothing else can be
 * reached. Each is docs/NAME.md, as it is.
 */
export const PAGES = {
  runbook: 'what to do when something goes wrong',
  'restore-by-hand': 'a restore with the AWS CLI, zstd and tar',
  servers: 'what an S3-compatible server has to do',
  ebs: 'hosts without LVM, by snapshots of EBS',
} as const
export type Page = keyof typeof PAGES

/**
 * Names a page in a hint, as the command that shows it.
 *
 * @param heading - of the part that is meant
 */
export function onPage(page: Page, heading?: string): string {
  return `${heading === undefined ? '' : `"${heading}" in `}"snapstream help ${page}"`
}
