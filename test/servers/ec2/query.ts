/** EC2's Query protocol, as it comes in: a form in which lists are counted, `Filter.1.Value.2=x`. */
import { Ec2Error } from './errors'

/** A form, or what stands below one of its names. */
export type Parameters = ReadonlyMap<string, string>

export function parseForm(body: string): Parameters {
  return new Map(new URLSearchParams(body))
}

/** What stands below `name.`, without it: of `Ebs.VolumeId` below `Ebs`, `VolumeId`. */
export function within(parameters: Parameters, name: string): Parameters {
  const prefix = `${name}.`
  const inside = [...parameters].filter(([path]) => path.startsWith(prefix))
  return new Map(inside.map(([path, value]) => [path.slice(prefix.length), value]))
}

/** The structures of a list, in the order of their numbers. */
export function structures(parameters: Parameters, name: string): Parameters[] {
  const list = within(parameters, name)
  const numbers = new Set([...list.keys()].map((path) => path.split('.', 1)[0] ?? ''))
  return [...numbers].sort((a, b) => Number(a) - Number(b)).map((number) => within(list, number))
}

/** The values of a list, in the order of their numbers. */
export function texts(parameters: Parameters, name: string): string[] {
  return [...within(parameters, name)].sort(([a], [b]) => Number(a) - Number(b)).map(([, value]) => value)
}

export function required(parameters: Parameters, name: string): string {
  return parameters.get(name) || missing(name)
}

export function missing(name: string): never {
  throw new Ec2Error('MissingParameter', `The request must contain the parameter ${name}`)
}

/** @throws Ec2Error unless it says true or false, or is not there, which is false */
export function flag(parameters: Parameters, name: string): boolean {
  const value = parameters.get(name) ?? 'false'
  if (!/^(true|false)$/i.test(value)) invalid(`Invalid value '${value}' for ${name}. It must be true or false.`)
  return value.toLowerCase() === 'true'
}

/** @throws Ec2Error unless it is a whole number, or is not there */
export function integer(parameters: Parameters, name: string): number | undefined {
  const value = parameters.get(name)
  if (value === undefined) return undefined
  return /^\d+$/.test(value) ? Number(value) : invalid(`Invalid value '${value}' for ${name}. It must be an integer.`)
}

export function invalid(message: string): never {
  throw new Ec2Error('InvalidParameterValue', message)
}
