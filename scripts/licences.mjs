// What the bundle contains of others, with the licence of each: their licences want to go along with the code.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * @param root - of the project
 * @param inputs - paths of the bundle's sources, relative to the root
 * @returns one text, in which packages of the same licence text share it
 * @throws Error where a package comes without a licence text
 */
export function collectLicences(root, inputs) {
  const byText = new Map()
  for (const directory of directoriesOf(inputs)) {
    const { name, version, license } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
    const files = readdirSync(join(root, directory)).filter((file) => /^(licen[cs]e|notice|copying)/i.test(file))
    const text = files.length > 0 ? textOf(join(root, directory), files) : standardText(root, name, license)
    byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`])
  }
  return [...byText].map(([text, packages]) => `${packages.join('\n')}\n\n${text}`).join(`\n\n${'-'.repeat(78)}\n\n`)
}

/** @returns `name@version` of each package that the sources belong to */
export function listPackages(root, inputs) {
  const packages = directoriesOf(inputs).map((directory) => {
    const { name, version } = JSON.parse(readFileSync(join(root, directory, 'package.json'), 'utf8'))
    return `${name}@${version}`
  })
  return [...new Set(packages)].sort()
}

function directoriesOf(inputs) {
  return [...new Set(inputs.map(packageOf).filter((directory) => directory !== undefined))].sort()
}

function textOf(directory, files) {
  return files
    .sort()
    .map((file) => readFileSync(join(directory, file), 'utf8').trim())
    .join('\n\n')
}

/** Some packages only name their licence. Of Apache's, which has no holder's name in it, the text is the same everywhere. */
function standardText(root, name, license) {
  if (license !== 'Apache-2.0') throw new Error(`${name} (${license}) comes without the text of its licence`)
  return readFileSync(join(root, 'LICENSE'), 'utf8').trim()
}

/** `node_modules/a/node_modules/@b/c/x.js` is a source of `node_modules/a/node_modules/@b/c`. */
function packageOf(input) {
  const [, directory] = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input) ?? []
  return directory
}

/** As a comment at the end of a script: it cannot be lost on the way, and costs nothing but its size. */
export function asComment(text) {
  return `\n/*\nSnapstream contains these packages of others, under their licences:\n\n${text.replaceAll('*/', '* /')}\n*/\n`
}
