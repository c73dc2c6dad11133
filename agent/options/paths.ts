/** Kinds of options that are paths. The grammars, for SSM documents, have no `..` either, and do not begin as a flag does. */
import { z } from 'zod'
import { SNAPSHOT_SOURCES } from '../contract'
import { single, type OptionType } from './types'

const { absolute: ABSOLUTE_PATH_GRAMMAR } = pathGrammars('A-Za-z0-9_@+-')
const { any: ANY_PATH_GRAMMAR } = pathGrammars('A-Za-z0-9 _:,=@+-')
const DEVICE_NAME_GRAMMAR = '[A-Za-z0-9_][A-Za-z0-9._+-]*'
/** A shell pattern, for an SSM document. */
export const GLOB_GRAMMAR = String.raw`[A-Za-z0-9._/*?\[][A-Za-z0-9 ._/*?\[\]!:,=@+-]*`

/**
 * Paths without `..`, told by what stands around dots rather than name by name: Java, in which Systems Manager compiles
 * the pattern, needs stack for each repetition of a group, and paths have more names than dots.
 *
 * @param characters - those of names but the dot, as a class has them
 */
function pathGrammars(characters: string): { absolute: string; any: string } {
  const [inName, anywhere] = [`[${characters}]`, `[/${characters}]`]
  // At the beginning of a name: one dot, three or more, or two that are not all of it.
  const dots = String.raw`(\.|\.{3}\.*|\.{2}${inName}\.*)`
  const more = String.raw`(${anywhere}*(${inName}\.+|/${dots}))*${anywhere}*`
  return { absolute: `/${dots}?${more}`, any: String.raw`(/${dots}?|[A-Za-z0-9_]\.*|${dots})${more}` }
}

/** An absolute path without `..`; trailing slashes are dropped. */
export const absolutePath: OptionType<string, undefined, string> = {
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

/** The collector reads no other, and what is in another may be somebody's. */
export const metricsPath: OptionType<string, undefined, string> = {
  ...absolutePath,
  expected: 'an absolute path that ends in .prom, such as /var/lib/prometheus/node-exporter/snapstream.prom',
  grammar: `${ABSOLUTE_PATH_GRAMMAR}[.]prom`,
  schema: z
    .string()
    .refine((path) => path.endsWith('.prom'))
    .pipe(absolutePath.schema),
}

/** A mount point, or a device-mapper name such as `vg0-home`. */
export const volumeName: OptionType<string, undefined, string> = {
  ...single,
  placeholder: 'VOLUME',
  expected: 'a mount point such as /srv, or a name such as vg0-srv',
  grammar: `${ABSOLUTE_PATH_GRAMMAR}|${DEVICE_NAME_GRAMMAR}`,
  schema: z
    .string()
    .regex(/^[^\0]+$/)
    .transform(tidyPath),
}

const SOURCE_NAMES = SNAPSHOT_SOURCES.join('|')

/** A source of snapshots, for all filesystems or for the one at a mount point. */
export const sourceChoice: OptionType<string, undefined, string> = {
  ...single,
  placeholder: 'SOURCE',
  expected: `auto, ${SNAPSHOT_SOURCES.join(', ')}, or one of these for a mount point, such as /srv=ebs`,
  grammar: `auto|${SOURCE_NAMES}|(${ABSOLUTE_PATH_GRAMMAR})=(${SOURCE_NAMES})`,
  schema: z
    .string()
    .regex(new RegExp(`^(?:auto|(?:/[^\\0]*=)?(?:${SOURCE_NAMES}))$`, 'u'))
    .transform((text) => {
      const at = text.lastIndexOf('=')
      return at < 0 ? text : `${tidyPath(text.slice(0, at))}${text.slice(at)}`
    }),
}

function tidyPath(path: string): string {
  return path.replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}

/** A path as a shell completes it: a slash at the end means nothing. */
export const anyPath: OptionType<string, undefined, string> = {
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
