/** JSON Schemas of what programs read: the last line of each command, and the records in the bucket. */
import { z } from 'zod'
import { backupPlanOutput, backupRunOutput, cleanupOutput, preflightOutput } from '../agent/backup/output-schema'
import { drillOutput } from '../agent/drill/output-schema'
import { debrisOutput, findOutput, hostsOutput, listOutput } from '../agent/find/output-schema'
import { contents } from '../agent/lib/untrusted'
import type { CommandName } from '../agent/options/commands'
import type { CommandName as FleetCommandName } from '../fleet/command/commands'
import {
  costOutput,
  fleetDebrisOutput,
  forgetOutput,
  hostOutput,
  reportOutput,
  statusOutput,
} from '../fleet/command/output-schema'
import { diffOutput } from '../fleet/command/diff-schema'
import { cancelOutput, commandOutput, sentOutput } from '../fleet/command/run-output-schema'
import { failureOutput } from '../agent/options/output-schema'
import { restorePlanOutput } from '../agent/rebuild/output-schema'
import { restoreOutput, restorePreviewOutput, restoreStatusOutput, waitingOutput } from '../agent/restore/output-schema'
import { manifestSchema } from '../agent/run/manifest'
import { verificationSchema, verifyOutput } from '../agent/verify/output-schema'

export type JsonSchema = z.core.JSONSchema.JSONSchema

/** How the last line of a command that did its work may look: as one of these. */
export const OUTPUTS: Readonly<Record<CommandName, readonly z.ZodType[]>> = {
  preflight: [preflightOutput],
  backup: [backupRunOutput, backupPlanOutput],
  list: [listOutput, hostsOutput, debrisOutput],
  find: [findOutput],
  verify: [verifyOutput],
  restore: [restoreOutput, restorePreviewOutput, waitingOutput],
  'restore-status': [restoreStatusOutput],
  'restore-plan': [restorePlanOutput],
  drill: [drillOutput],
  cleanup: [cleanupOutput],
}

/** The same of the operators' program. */
export const FLEET_OUTPUTS: Readonly<Record<FleetCommandName, readonly z.ZodType[]>> = {
  status: [statusOutput],
  host: [hostOutput],
  report: [reportOutput],
  cost: [costOutput],
  forget: [forgetOutput],
  debris: [fleetDebrisOutput],
  diff: [diffOutput],
  run: [commandOutput, sentOutput],
  verify: [commandOutput, sentOutput],
  restore: [commandOutput, sentOutput],
  install: [commandOutput, sentOutput],
  cleanup: [commandOutput, sentOutput],
  attach: [commandOutput],
  cancel: [cancelOutput],
}

/** By name of the file: what it says, of JSON of which kind. */
export const SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  ...Object.fromEntries(Object.entries(OUTPUTS).map(([command, outputs]) => [command, oneOf(command, outputs)])),
  ...Object.fromEntries(
    Object.entries(FLEET_OUTPUTS).map(([command, outputs]) => [`fleet-${command}`, oneOf(`fleet ${command}`, outputs)]),
  ),
  error: titled('The last line of a command that could not do its work', failureOutput),
  manifest: titled('The manifest of a run, in format 2', manifestSchema),
  verification: titled('The record of a verification', verificationSchema),
}

function oneOf(command: string, outputs: readonly z.ZodType[]): JsonSchema {
  const title = `The last line of ${command}`
  const [only, ...others] = outputs
  return only && others.length === 0 ? titled(title, only) : titled(title, z.union(outputs))
}

function titled(title: string, schema: z.ZodType): JsonSchema {
  const { $schema, ...rest } = toJsonSchema(schema)
  return { ...($schema !== undefined && { $schema }), title, ...rest }
}

/** As it is written: later versions may add fields, so more of them are let through. */
export function toJsonSchema(schema: z.ZodType): JsonSchema {
  return z.toJSONSchema(schema, {
    io: 'input',
    override({ zodSchema, jsonSchema }) {
      const item = contents.get(zodSchema)
      if (item) {
        const inner = toJsonSchema(item)
        delete inner.$schema
        if (jsonSchema.type === 'array') jsonSchema.items = inner
        else jsonSchema.additionalProperties = inner
      }
      if (jsonSchema.minItems === 0) delete jsonSchema.minItems
      // What is plain already.
      if (jsonSchema.format === 'date-time') delete jsonSchema.pattern
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
    },
  })
}
