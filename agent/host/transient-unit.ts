import type { Argv } from '../context'

export interface TransientUnit {
  /** Without its suffix. */
  readonly name: string
  /** What `systemctl list-units` shows. */
  readonly description: string
  /** The whole of it, but for what systemd gives to every service. */
  readonly environment: Readonly<Record<string, string>>
  /** What becomes of the processes that the first one has started, when that one ends. */
  readonly children: 'live on' | 'are killed'
}

/**
 * Has systemd run a command, with our standard input, output and error, and waits for its end. Its status is the
 * command's, but one that is killed by SIGTERM, SIGINT, SIGHUP or SIGPIPE counts as successful (systemd.service(5)):
 * have it run by something that makes a status of that, such as `setsid --wait`.
 */
export function systemdRun({ name, description, environment, children }: TransientUnit, argv: Argv): Argv {
  const [program, ...args] = argv
  return [
    'systemd-run',
    ...['--quiet', '--collect', '--pipe', '--wait', `--unit=${name}`, `--description=${description}`],
    // Whoever stops the unit must not make a success of it.
    ...['--property=KillSignal=SIGKILL', `--property=KillMode=${children === 'live on' ? 'process' : 'control-group'}`],
    ...Object.entries(environment).map(([variable, value]) => `--setenv=${variable}=${value}`),
    '--',
    program,
    // systemd would put the values of variables in their places (systemd.service(5), "Command lines").
    ...args.map((word) => word.replaceAll('$', '$$$$')),
  ]
}

/** Kills everything that runs in a unit. */
export function killUnit(name: string): Argv {
  return ['systemctl', 'kill', '--signal=KILL', `${name}.service`]
}
