/** The program that gives a real SSM agent a document, with an agent that refuses it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

test('ends, and says why, when the agent refuses the document', async () => {
  const program = [resolve(__dirname, 'serve.ts'), '--document', 'Backup', '--port', '0']
  const child = spawn(process.execPath, ['--import', 'tsx', ...program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line)
    const port = /http:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1]
    if (port === undefined) continue
    const reply = { documentStatus: 'Failed', documentTraceOutput: 'invalid repeat count', runtimeStatus: null }
    await fetch(`http://127.0.0.1:${port}/`, {
      method: 'POST',
      headers: { 'x-amz-target': 'EC2WindowsMessageDeliveryService.SendReply' },
      body: JSON.stringify({ MessageId: 'm', ReplyId: 'r', Payload: JSON.stringify(reply) }),
    })
  }
  expect(await ended).toEqual([1, null])
  expect(lines.at(-1)).toBe('document: Failed invalid repeat count')
}, 60_000)
