import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buildTree } from './build'
import { hostileTree } from './hostile'

/** A directory for the tests of a file, gone after the last of them. */
export interface Scratch {
  readonly path: () => string
  /** In it, a directory with the hostile tree and what was added. */
  readonly root: () => string
}

/** To be called at the top of a test file. @param add - adds to the tree, once */
export function scratchTree(add: (root: string) => void): Scratch {
  let path = ''
  const root = () => join(path, 'root')
  beforeAll(async () => {
    path = mkdtempSync(join(tmpdir(), 'snapstream-test-'))
    mkdirSync(root())
    await buildTree(root(), hostileTree())
    add(root())
  })
  afterAll(() => rmSync(path, { recursive: true }))
  return { path: () => path, root }
}
