/** What commands to hosts tell programs. */
import { z } from 'zod'
import type { Told } from '../../agent/outcome'

const commandedHost = z.object({
  host: z.string().describe('ID of the instance or managed node.'),
  name: z.string().describe('What Systems Manager calls it; empty where it has no name.'),
  phase: z
    .enum(['pending', 'running', 'done', 'failed'])
    .describe('What is known of it; `pending` and `running` at the end mean that it is not known what became of it.'),
  status: z.string().describe('As Systems Manager has it, such as `ExecutionTimedOut`.'),
  summary: z.string().describe('The first line that it printed; empty where there is none.'),
  reason: z.string().exactOptional().describe('Why it failed, for people; absent where it did not.'),
  hint: z.string().exactOptional().describe('What to do about it, for people.'),
})

export const commandOutput = z
  .object({
    commandId: z.string().describe('ID of the command, for `attach` and `cancel`.'),
    document: z.string().describe('The document that was sent.'),
    status: z.string().describe('Of the command as a whole, as Systems Manager has it.'),
    ok: z.boolean().describe('Whether every host has done it, and there is one.'),
    pending: z.int().describe('Hosts that have not begun.'),
    running: z.int().describe('Hosts that are at work.'),
    done: z.int().describe('Hosts that have done it.'),
    failed: z.int().describe('Hosts that have not.'),
    unseen: z.int().describe('Hosts that Systems Manager counts, and did not list.'),
    hosts: z.array(commandedHost).describe('The hosts.'),
  })
  .describe('What a command came to: of `attach`, and with `--wait` of what sends commands.')

export const sentOutput = z
  .object({
    commandId: z.string().describe('ID of the command, for `attach` and `cancel`.'),
    document: z.string().describe('The document that was sent.'),
    sent: z.literal(true).describe('That is all that is known: `attach` follows it to its end.'),
  })
  .describe('Without `--wait`: the command was sent.')

export const cancelOutput = z
  .object({
    commandId: z.string().describe('ID of the command that was to be stopped.'),
    cancelled: z.boolean().describe('Whether no other host will begin.'),
    stopped: z
      .array(commandOutput)
      .describe('The commands by which the agent was told to stop, where it was at work: one for 50 hosts.'),
  })
  .describe('What became of a command that was cancelled.')

export type CancelOutput = Told<typeof cancelOutput>
export type CommandOutput = Told<typeof commandOutput>
export type SentOutput = Told<typeof sentOutput>
