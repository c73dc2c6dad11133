/** The hosts that have runs in the bucket. */
import { HOST_PATTERN, Prefix } from '../contract'
import { hasCode } from '../errors'
import type { ReaderDeps } from '../archive/read.io'
import { mayNotList } from './runs'

export interface FoundHost {
  readonly host: string
  readonly class: string
}

const HOST = new RegExp(HOST_PATTERN)
/** An instance's ARN is two folders: it has a slash. */
const ARN_FOLDER = /^arn:[a-z-]+:/

/**
 * Every host that has a manifest, class by class, each in the order of their names. One request for each thousand hosts, one
 * for each class and one for each account and region: no run is looked at.
 *
 * @param className - or of every class
 * @param prefix - of what else hosts are looked for that have it
 * @throws AgentError ACCESS_DENIED where these credentials may not list the bucket, as those of hosts may not
 */
export async function* findHosts(
  deps: ReaderDeps,
  className?: string,
  prefix: string = Prefix.manifests,
): AsyncGenerator<FoundHost, void, undefined> {
  const { store, signal } = deps
  try {
    const classes = className === undefined ? store.listFolders(`${prefix}/`, signal) : [className]
    for await (const name of classes) {
      for await (const host of hostsBelow(deps, `${prefix}/${name}/`)) yield { host, class: name }
    }
  } catch (error) {
    throw hasCode(error, 'ACCESS_DENIED') ? mayNotList(error) : error
  }
}

/** Whatever has no name that a host can have is none: anybody may have put it there. */
async function* hostsBelow({ store, signal }: ReaderDeps, prefix: string): AsyncGenerator<string> {
  for await (const folder of store.listFolders(prefix, signal)) {
    if (!ARN_FOLDER.test(folder)) {
      if (HOST.test(folder)) yield folder
      continue
    }
    for await (const name of store.listFolders(`${prefix}${folder}/`, signal)) {
      if (HOST.test(`${folder}/${name}`)) yield `${folder}/${name}`
    }
  }
}
