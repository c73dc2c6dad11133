/**
 * What is in a release, as CycloneDX. npm writes it from package-lock.json: that needs no further dependency, and nobody
 * knows the lock better. Of its output stays what ships, since most of what is locked here only builds and tests.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

const bomSchema = z.looseObject({
  metadata: z.looseObject({ component: z.looseObject({ 'bom-ref': z.string() }) }),
  components: z.array(z.looseObject({ 'bom-ref': z.string() })),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).optional() })),
})

export interface SbomOptions {
  /** npm names the project after its directory. */
  readonly name: string
  /** `name@version` of the packages that are in the release. */
  readonly shipped: readonly string[]
  readonly time: Date
}

/**
 * @param npmOutput - of `npm sbom --sbom-format cyclonedx --package-lock-only`
 * @returns text that depends on nothing but the arguments
 * @throws Error where something ships that npm does not list
 */
export function formatSbom(npmOutput: string, { name, shipped, time }: SbomOptions): string {
  const bom = bomSchema.parse(JSON.parse(npmOutput))
  const listed = new Set(bom.components.map((component) => component['bom-ref']))
  const unlisted = shipped.filter((ref) => !listed.has(ref))
  if (unlisted.length > 0) throw new Error(`npm does not list ${unlisted.join(', ')}: run "npm ci", then build again`)

  const { metadata } = bom
  const root = metadata.component['bom-ref']
  const refs = new Set([...shipped, root])
  // Not all that a package asks for is used, and so in the bundle.
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map((entry) => ({ ...entry, dependsOn: (entry.dependsOn ?? []).filter((ref) => refs.has(ref)).sort() }))
    .sort((a, b) => (a.ref < b.ref ? -1 : 1))
  const content = {
    ...bom,
    metadata: { ...metadata, timestamp: time.toISOString(), component: { ...metadata.component, name } },
    components: bom.components
      .filter((component) => refs.has(component['bom-ref']))
      .sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
    dependencies,
  }
  return `${JSON.stringify({ ...content, serialNumber: serialNumberOf({ ...content, serialNumber: '' }) }, null, 2)}\n`
}

/** A random one would make every document differ: this is a UUID of version 8, by the content's hash. */
function serialNumberOf(content: object): string {
  const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex')
  const groups = [hash.slice(0, 8), hash.slice(8, 12), `8${hash.slice(13, 16)}`, `8${hash.slice(17, 20)}`]
  return `urn:uuid:${[...groups, hash.slice(20, 32)].join('-')}`
}
