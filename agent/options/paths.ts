/** Kinds of options that are paths. The grammars, for SSM documents, have no `..` either, and do not begin as a flag does. */
import { z } from 'zod'
import { single, type Kind } from './types'

const ABSOLUTE_PATH_GRAMMAR = namesAfterSlashes('A-Za-z0-9_@+-')
const DEVICE_NAME_GRAMMAR = '[A-Za-z0-9_][A-Za-z0-9._+-]*'
const ANY_PATH_GRAMMAR = anyPathGrammar('A-Za-z0-9 _:,=@+-')
/** A shell pattern, for an SSM document. */
export const GLOB_GRAMMAR = String.raw`[A-Za-z0-9._/*?\[][A-Za-z0-9 ._/*?\[\]!:,=@+-]*`

/** @param characters - those of names, as a class has them, without the dot */
function namesAfterSlashes(characters: string): string {
  const rest = `[.${characters}]*`
  // Every name but "..", or none: slashes may be doubled.
  return String.raw`(/(\.{0,2}[${characters}]${rest}|\.{3}${rest}|\.)?)+`
}

function anyPathGrammar(characters: string): string {
  const rest = `[.${characters}]*`
  const first = String.raw`([A-Za-z0-9_]${rest}|\.{1,2}[${characters}]${rest}|\.{3}${rest}|\.)`
  const deeper = namesAfterSlashes(characters)
  return `${first}(${deeper})?|${deeper}`
}

/** An absolute path without `..`; trailing slashes are dropped. */
export const absolutePath: Kind<string, undefined, string> = {
  ...single,
  placeholder: 'PATH',
  expected: 'an absolute path such as /srv, without ".."',
  grammar: ABSOLUTE_PATH_GRAMMAR,
  schema: z
    .string()
    .regex(/^\/[^\0]*$/)
    .refine((path) => !path.split('/').includes('..'))
    .transform(tidyPath),
}

/** A mount point, or a device-mapper name such as `vg0-home`. */
export const volumeName: Kind<string, undefined, string> = {
  ...single,
  placeholder: 'VOLUME',
  expected: 'a mount point such as /srv, or a name such as vg0-srv',
  grammar: `${ABSOLUTE_PATH_GRAMMAR}|${DEVICE_NAME_GRAMMAR}`,
  schema: z
    .string()
    .regex(/^[^\0]+$/)
    .transform(tidyPath),
}

function tidyPath(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}

/** A path as a shell completes it: a slash at the end means nothing. */
export const anyPath: Kind<string, undefined, string> = {
  ...single,
  placeholder: 'PATH',
  expected: 'a path without ".."',
  grammar: ANY_PATH_GRAMMAR,
  schema: z
    .string()
    .regex(/^[^\0]+$/)
    .refine((path) => !path.split('/').includes('..'))
    .transform((path) =>
      path
        .replace(/\/+/g, '/')
        .replace(/^(\.\/)+/, '')
        .replace(/(.)\/$/, '$1'),
    ),
}
