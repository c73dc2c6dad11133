/** A PC, emulated: it takes no virtualisation, and for a boot the better part of a minute. */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

const BOOT_SECONDS_MAX = 240
const FIRMWARE = '/usr/share/OVMF/OVMF_CODE.fd'
const FIRMWARE_VARIABLES = '/usr/share/OVMF/OVMF_VARS.fd'

export type Firmware = 'BIOS' | 'UEFI'

/**
 * Boots from a disk until it asks for a login. What it writes to the disk is dropped.
 *
 * @returns how long it took
 * @throws Error with the end of what it printed, if it does not come so far
 */
export async function bootToLogin(disk: string, firmware: Firmware, hostname: string): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'snapstream-boot-'))
  const [serial, variables] = [join(directory, 'serial'), join(directory, 'variables')]
  writeFileSync(serial, '')
  copyFileSync(FIRMWARE_VARIABLES, variables)
  const startedAt = performance.now()
  const seconds = () => (performance.now() - startedAt) / 1000
  const machine = spawn(
    'qemu-system-x86_64',
    [
      ...['-accel', 'tcg', '-machine', 'q35', '-m', '512', '-display', 'none', '-nodefaults', '-no-reboot'],
      ...['-serial', `file:${serial}`, '-drive', `file=${disk},format=raw,if=virtio,snapshot=on`],
      ...(firmware === 'BIOS' ? [] : efi(variables)),
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let complaint = ''
  machine.stderr.on('data', (chunk: Buffer) => (complaint += String(chunk)))
  const ended = new Promise<void>((resolve) => machine.once('close', () => resolve()))
  try {
    // A new machine has no entry for the system in its firmware: it is given variables as they come.
    while (!readFileSync(serial, 'utf8').includes(`${hostname} login: `)) {
      if (machine.exitCode !== null || seconds() > BOOT_SECONDS_MAX) {
        throw new Error(
          `${firmware}: no login. ${complaint}The last that it printed:\n${readFileSync(serial, 'utf8').slice(-3000)}`,
        )
      }
      await sleep(200)
    }
    return seconds()
  } finally {
    machine.kill()
    await ended
    rmSync(directory, { recursive: true })
  }
}

function efi(variables: string): string[] {
  return [
    ...['-drive', `if=pflash,format=raw,readonly=on,file=${FIRMWARE}`],
    ...['-drive', `if=pflash,format=raw,file=${variables}`],
  ]
}
