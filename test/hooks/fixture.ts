/** Hooks that keep a diary, in a directory that root alone may write. */
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { makeTrustedDirectory } from '../support/trusted-directory'

export let directory: string
export let diary: string

beforeEach(async () => {
  directory = makeTrustedDirectory()
  diary = join(directory, 'diary')
  await writeFile(diary, '')
})
afterEach(() => rm(directory, { recursive: true }))

/** Notes its name, then does what it is told. */
export async function hook(name: string, script = ''): Promise<string> {
  const path = join(directory, name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, `#!/bin/sh\necho ${name} >>${diary}\n${script}\n`, { mode: 0o755 })
  return path
}

/** The agent, as it starts itself. */
export const PROGRAM = [process.execPath, '--require', 'tsx/cjs', resolve('agent/main.ts')] as const
export const note = (word: string) => writeFile(diary, `${word}\n`, { flag: 'a' })
export const happened = async () => (await readFile(diary, 'utf8')).trim().split('\n')
