/** A command line: the program, then its arguments. Never joined into a string, never given to a shell. */
export type Argv = readonly [program: string, ...args: string[]]

/** A command line as a person would type it, for messages and reports only. */
export function formatArgv(argv: Argv): string {
  return argv.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(' ')
}
