import { z } from 'zod'
import { deletedFields, hostField, runField } from '../run/output-schema'

const stepSchema = z.object({
  purpose: z.string().describe('Why it is there, for people.'),
  argv: z.tuple([z.string()], z.string()).describe('The program, then its arguments.'),
  input: z.string().exactOptional().describe('What it reads from standard input; where absent, nothing.'),
})

export const restorePlanOutput = z
  .object({
    run: runField,
    host: hostField,
    steps: z.array(stepSchema).describe('The commands, in order. None of them was run.'),
    launchTemplate: z
      .record(z.string(), z.unknown())
      .exactOptional()
      .describe(
        'Of an EC2 instance: what `aws ec2 create-launch-template --launch-template-data` takes for one like it.',
      ),
    notes: z.array(z.string()).describe('What no command does, and somebody has to think of.'),
    ...deletedFields,
  })
  .describe('How a host is built again.')
