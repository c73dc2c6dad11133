/** Runs documents with the host's directories moved to a place of the test's own. */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DOCUMENTS_DIRECTORY, type DocumentName } from '../../infra/documents'
import { readDocument, withDefaults, type CommandDocument } from '../../infra/ssm-document'
import { makeTrustedDirectory } from '../support/trusted-directory'
import { runDocument, type DocumentResult } from './runner'
import type { Download } from './steps'

export interface Sandbox {
  readonly root: string
  path(name: string): string
  /** Makes an executable script, and the directories it lies in. */
  program(name: string, text: string): string
  run(name: DocumentName, parameters?: Readonly<Record<string, string>>, more?: RunOptions): Promise<DocumentResult>
  remove(): void
}

export interface RunOptions {
  readonly download?: Download
  readonly signal?: AbortSignal
  readonly environment?: Readonly<Record<string, string>>
}

/** What a deployment fills in, where it does not matter. */
export const DEPLOYED = { bucket: 'snapstream-vault-1a2b3c', region: 'eu-west-1' }

export function makeSandbox(): Sandbox {
  const root = makeTrustedDirectory()
  for (const directory of ['run', 'opt/snapstream', 'etc']) mkdirSync(join(root, directory), { recursive: true })
  let commands = 0
  return {
    root,
    path: (name) => join(root, name),
    program(name, text) {
      const file = join(root, name)
      mkdirSync(dirname(file), { recursive: true })
      writeFileSync(file, text)
      chmodSync(file, 0o755)
      return file
    },
    run: (name, parameters = {}, { environment, signal, download = noDownload } = {}) =>
      runDocument({
        document: moved(deployed(name), root),
        parameters,
        commandId: `00000000-0000-4000-8000-${String((commands += 1)).padStart(12, '0')}`,
        environment: { PATH: `${join(root, 'bin')}:/usr/sbin:/usr/bin:/sbin:/bin`, ...environment },
        orchestrationDirectory: join(root, 'orchestration'),
        download,
        ...(signal && { signal }),
      }),
    remove: () => rmSync(root, { recursive: true, force: true, maxRetries: 10 }),
  }
}

const noDownload: Download = () => Promise.reject(new Error('AccessDenied'))

export function deployed(name: DocumentName): CommandDocument {
  const document = readDocument(DOCUMENTS_DIRECTORY, name)
  return 'bucket' in document.parameters ? withDefaults(document, DEPLOYED) : document
}

function moved(document: CommandDocument, root: string): CommandDocument {
  const text = JSON.stringify(document)
    .replaceAll('/opt/snapstream', `${root}/opt/snapstream`)
    .replaceAll('/etc/snapstream', `${root}/etc/snapstream`)
    .replaceAll('/usr/local/lib/systemd', `${root}/usr/local/lib/systemd`)
    .replaceAll(/(?<![A-Za-z0-9])\/run\b/g, `${root}/run`)
  return JSON.parse(text) as CommandDocument
}
