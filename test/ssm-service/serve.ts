/** `npm run ssm:serve -- --document Backup --parameters '{"bucket": "…"}'`: gives a real SSM agent one command. */
import { parseArgs } from 'node:util'
import { DOCUMENT_NAMES, DOCUMENTS_DIRECTORY } from '../../infra/documents'
import { readDocument } from '../../infra/ssm-document'
import { serveCommand, type Reply } from './message-service'

const { values } = parseArgs({
  options: {
    document: { type: 'string' },
    parameters: { type: 'string', default: '{}' },
    port: { type: 'string', default: '4600' },
  },
})

function report({ documentStatus, documentTraceOutput, runtimeStatus }: Reply): void {
  console.log(`document: ${documentStatus} ${documentTraceOutput ?? ''}`)
  if (documentStatus === 'InProgress') return
  for (const [step, { status, code, standardOutput, standardError }] of Object.entries(runtimeStatus ?? {})) {
    console.log(`step ${step}: ${status}, status ${code}\n${standardOutput}${standardError}`)
  }
}

async function main(): Promise<void> {
  const documentName = DOCUMENT_NAMES.find((name) => name === values.document)
  if (!documentName) throw new Error(`--document must be one of ${DOCUMENT_NAMES.join(', ')}`)
  const document = readDocument(DOCUMENTS_DIRECTORY, documentName)
  const parameters = JSON.parse(values.parameters) as Record<string, string>
  const service = await serveCommand({ documentName, document, parameters }, Number(values.port), report)
  console.log(`command ${service.commandId} waits for an agent at http://127.0.0.1:${service.port}; Ctrl-C cancels it`)
  process.once('SIGINT', () => service.cancel())
  const { documentStatus } = await service.finished
  service.close()
  process.exitCode = documentStatus === 'Success' ? 0 : 1
}

main().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
