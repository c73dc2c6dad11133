// What the unit tests need of the machine is said once, before the first of them: those that lack it fail one by one, each
// in its own way. What needs none of it runs anywhere.
const { accessSync, constants } = require('node:fs')
const { delimiter, join } = require('node:path')
const bundleCatalogWorker = require('./bundle-catalog-worker.cjs')

/** By Debian's package; `npm run setup` installs those. */
const PROGRAMS = {
  acl: ['setfacl'],
  attr: ['setfattr', 'getfattr'],
  chromium: ['chromium'],
  'libcap2-bin': ['setcap'],
  openssl: ['openssl'],
  procps: ['pgrep'],
  shellcheck: ['shellcheck'],
  tar: ['tar'],
  'util-linux': ['flock', 'mount', 'prlimit'],
  zstd: ['zstd'],
}

/**
 * @param {number} userId
 * @param {(program: string) => boolean} isThere
 * @returns {string[]} sentences
 */
function findLacks(userId, isThere) {
  const missing = Object.entries(PROGRAMS).flatMap(([name, programs]) =>
    programs.filter((program) => !isThere(program)).map((program) => `${program} (package ${name})`),
  )
  return [
    ...(userId === 0
      ? []
      : [`Tests that make devices, owners, attributes or mounts need root, and will fail: this is user ${userId}.`]),
    ...(missing.length === 0
      ? []
      : [`Tests will fail that need ${missing.join(', ')}: "npm run setup", as root, installs what is missing.`]),
  ]
}

function isInPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

module.exports = () => {
  for (const lack of findLacks(process.getuid(), isInPath)) console.error(lack)
  bundleCatalogWorker()
}
module.exports.findLacks = findLacks
