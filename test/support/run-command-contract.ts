/** What Systems Manager does with commands, wherever it is: the same tests for the stand-in and for moto. */
import { randomUUID } from 'node:crypto'
import type { CommandPlan, RunCommand } from '../../fleet/command/systems-manager'
import { refusalOf } from './refusal'

const signal = new AbortController().signal

/** @param where - with two hosts that bear the tag Backup=true, and a step that they run */
export function describeRunCommand(
  where: () => Promise<{ service: RunCommand; instanceIds: readonly string[]; step: string }>,
): void {
  const plan = (targets: CommandPlan['targets']): CommandPlan => ({
    ...{ document: 'Snapstream-Backup', targets, parameters: { class: 'daily' } },
    ...{ maxConcurrency: '25%', maxErrors: '100%', deliverySeconds: 600 },
  })

  test('a command to hosts by name is found by its ID, and by its comment', async () => {
    const { service, instanceIds } = await where()
    const comment = `test ${randomUUID()}`
    const since = new Date(Date.now() - 60_000)
    const { commandId, document } = await service.send(plan({ kind: 'hosts', instanceIds }), comment, signal)
    expect(document).toBe('Snapstream-Backup')
    // Not how many hosts: moto counts those that are named twice.
    expect(await service.describe(commandId, signal)).toMatchObject({ commandId, comment, document })
    expect(await service.findSent({ document, comment }, since, signal)).toMatchObject({ commandId })
    expect(await service.findSent({ document, comment: 'another' }, since, signal)).toBeUndefined()
  })

  test('a command to hosts by tag goes to those that bear it', async () => {
    const { service, instanceIds, step } = await where()
    const targets = { kind: 'tags' as const, tags: [{ key: 'Backup', values: ['true'] }] }
    const { commandId } = await service.send(plan(targets), 'test', signal)
    for (const id of instanceIds) expect(await service.readOutput(commandId, id, step, signal)).toHaveProperty('stdout')
  })

  test('a command that nobody sent is not there', async () => {
    const { service } = await where()
    expect(await service.describe(randomUUID(), signal)).toBeUndefined()
  })

  test('what a step printed cannot be had of a host that never got the command', async () => {
    const { service, instanceIds, step } = await where()
    const { commandId } = await service.send(plan({ kind: 'hosts', instanceIds }), 'test', signal)
    const stranger = 'i-0ffffffffffffffff'
    expect((await refusalOf(service.readOutput(commandId, stranger, step, signal))).code).toBe('SSM_FAILED')
  })
}
