import { ExitStatus, Prefix } from '../contract'
import { hasCode } from '../errors'
import type { StoreDeps, ListedUpload } from '../context'
import { mayNotList } from '../run/runs'
import { exonerateRuns } from './bases'
import { collectDebris, formatDebris, listUnfinished, placeOf, type Debris } from './debris-report'
import type { WithHost, ListRequest } from '../options/commands'
import type { Outcome } from '../outcome'

/** Where runs put what their manifests name. */
const PLACES = [Prefix.data, Prefix.catalogs] as const

/**
 * Lists what lies in the bucket and is of no run that has a manifest, and uploads that nobody finished.
 *
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function listDebris(deps: StoreDeps, request: WithHost<ListRequest>): Promise<Outcome<Debris>> {
  const { host } = request
  try {
    const uploads = await findUploads(deps, request)
    const collector = await collect(deps, request)
    const { clockSkewSeconds } = await deps.store.readFacts(deps.signal) // the times are the server's
    const now = new Date(deps.now().getTime() + clockSkewSeconds * 1000)
    const unfinished = uploads && listUnfinished(uploads, now.getTime())
    const debris: Debris = { host, ...collector.list(now.getTime()), ...unfinished }
    return { status: ExitStatus.ok, summary: formatDebris(debris, now), json: debris }
  } catch (error) {
    throw hasCode(error, 'ACCESS_DENIED') ? mayNotList(error) : error
  }
}

async function collect(deps: StoreDeps, { host, class: wanted }: WithHost<ListRequest>) {
  const { store, signal } = deps
  const collector = collectDebris(host)
  const classes = new Set<string>()
  for (const prefix of PLACES) {
    const found = wanted === undefined ? store.listFolders(`${prefix}/`, signal) : [wanted]
    for await (const className of found) {
      classes.add(className)
      for await (const object of store.list(`${prefix}/${className}/${host}/`, signal)) collector.add(object)
    }
  }
  // Last: a run may have ended meanwhile.
  for (const className of classes) await exonerateRuns(deps, collector, className, host)
  return collector
}

/** Of all classes at once: a class may have nothing yet but these. Undefined where these credentials may not list them. */
async function findUploads(
  { store, signal }: StoreDeps,
  { host, class: wanted }: WithHost<ListRequest>,
): Promise<ListedUpload[] | undefined> {
  const uploads: ListedUpload[] = []
  try {
    for (const prefix of PLACES) {
      const below = wanted === undefined ? `${prefix}/` : `${prefix}/${wanted}/${host}/`
      for await (const upload of store.listUploads(below, signal)) if (placeOf(upload.key, host)) uploads.push(upload)
    }
    return uploads
  } catch (error) {
    if (hasCode(error, 'ACCESS_DENIED')) return undefined
    throw error
  }
}
