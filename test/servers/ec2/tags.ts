/** Tags, and the actions that change them later. */
import { findInstance, findSnapshot, findVolume, type Account } from './account'
import { invalid, missing, structures, texts, type Parameters } from './query'
import type { Action } from './action'
import type { Xml } from './xml'

export type Tags = ReadonlyMap<string, string>

const TAGS_MAX = 50
const KEY_MAX = 127
const VALUE_MAX = 256

/** What is to be given to resources of a type as they are made. */
export function tagsToGive(parameters: Parameters, resourceType: 'snapshot' | 'volume'): Map<string, string> {
  const specifications = structures(parameters, 'TagSpecification')
  const other = specifications.find((specification) => specification.get('ResourceType') !== resourceType)
  if (other) invalid(`'${other.get('ResourceType') ?? ''}' is not a valid taggable resource type for this operation.`)
  return checkTags(new Map(specifications.flatMap((specification) => readTags(specification))))
}

export function formatTags(tags: Tags): Xml {
  return [...tags].map(([key, value]) => ({ key, value }))
}

export const createTags: Action = {
  required: ['ResourceId', 'Tag'],
  optional: [],
  run(account, parameters) {
    const given = readTags(parameters)
    for (const tags of tagsOfResources(account, parameters)) {
      checkTags(new Map([...tags, ...given]))
      for (const [key, value] of given) tags.set(key, value)
    }
    return { return: true }
  },
}

/** A tag without a value goes whatever its value is, one with a value only where it has that. */
export const deleteTags: Action = {
  required: ['ResourceId', 'Tag'],
  optional: [],
  run(account, parameters) {
    for (const tags of tagsOfResources(account, parameters)) {
      for (const tag of structures(parameters, 'Tag')) {
        const [key, value] = [tag.get('Key') ?? missing('Tag.Key'), tag.get('Value')]
        if (value === undefined || tags.get(key) === value) tags.delete(key)
      }
    }
    return { return: true }
  },
}

/** All of them are there, or nothing is done. */
function tagsOfResources(account: Account, parameters: Parameters): Map<string, string>[] {
  return texts(parameters, 'ResourceId').map((id) => {
    if (id.startsWith('vol-')) return findVolume(account, id).tags
    if (id.startsWith('snap-')) return findSnapshot(account, id).tags
    return findInstance(account, id).tags
  })
}

function readTags(parameters: Parameters): [string, string][] {
  return structures(parameters, 'Tag').map((tag) => [tag.get('Key') ?? missing('Tag.Key'), tag.get('Value') ?? ''])
}

function checkTags(tags: Map<string, string>): Map<string, string> {
  if (tags.size > TAGS_MAX) invalid(`The maximum number of tags on a resource is ${TAGS_MAX}.`)
  for (const [key, value] of tags) {
    if (key.startsWith('aws:')) invalid(`Tag keys starting with 'aws:' are reserved for internal use`)
    if (key.length > KEY_MAX) invalid(`Tag key exceeds the maximum length of ${KEY_MAX} characters`)
    if (value.length > VALUE_MAX) invalid(`Tag value exceeds the maximum length of ${VALUE_MAX} characters`)
  }
  return tags
}
