import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bootGuest, HOST_FROM_GUEST, type Guest } from './guest'

jest.setTimeout(120_000)

let guest: Guest
let share: string

beforeAll(async () => {
  share = await mkdtemp(join(tmpdir(), 'snapstream-share-'))
  guest = await bootGuest({ disksMiB: [64], shares: [share] })
})
afterAll(async () => {
  await guest.stop()
  await rm(share, { recursive: true })
})

test('runs the Node of the project as root', async () => {
  expect(await guest.run(['sh', '-c', 'id -u; node --version'])).toMatch(/^0\nv24\./)
})

test('gives input, output, environment and status their way', async () => {
  const argv = ['sh', '-c', 'cat; echo $WORD >&2; exit 3'] as const
  const result = await guest.exec(argv, { input: 'in', environment: { WORD: 'err' } })
  expect(result).toEqual({ status: 3, killedBy: null, stdout: 'in', stderr: 'err\n' })
})

test('says so where a program is missing', async () => {
  const { status, stderr } = await guest.exec(['no-such-program'])
  expect([status, stderr]).toEqual([127, 'spawn no-such-program ENOENT'])
})

test('kills a command with all that it started', async () => {
  const command = guest.start(['sh', '-c', 'sleep 1234 & wait'])
  command.kill('SIGKILL')
  expect(await command.ended).toMatchObject({ status: null, killedBy: 'SIGKILL' })
  expect(await guest.exec(['pgrep', '-f', '^sleep 1234'])).toMatchObject({ stdout: '' })
})

test('kills a command that takes too long', async () => {
  await expect(guest.exec(['sleep', '1234'], { timeoutSeconds: 0.2 })).rejects.toThrow(
    'sleep 1234 took more than 0.2 s',
  )
})

test('writes through to a share, and nowhere else on the host', async () => {
  await guest.run(['sh', '-c', `echo shared > ${share}/file; echo own > /etc/own; sync`])
  expect(await readFile(join(share, 'file'), 'utf8')).toBe('shared\n')
  await expect(readFile('/etc/own')).rejects.toThrow('ENOENT')
})

test('reaches a server of the host', async () => {
  const server = createServer((socket) => socket.end('hello'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = `require('net').connect(${port}, '${HOST_FROM_GUEST}').pipe(process.stdout)`
  expect(await guest.run(['node', '-e', client])).toBe('hello')
  server.close()
})

test('finds its volume groups again after a power cut, and nothing that ran', async () => {
  await guest.run(['vgcreate', '--quiet', 'kept', guest.disks[0]!])
  await guest.run(['lvcreate', '--name', 'volume', '--size', '8M', 'kept'])
  const running = guest.start(['sleep', '1234'])
  await guest.run(['touch', '/run/lost'])
  await guest.powerCut()
  await expect(running.ended).rejects.toThrow('lost its power')
  await expect(guest.exec(['true'])).rejects.toThrow('lost its power')
  await guest.powerOn()
  expect(await guest.exec(['test', '-b', '/dev/kept/volume'])).toMatchObject({ status: 0 })
  expect(await guest.exec(['test', '-e', '/run/lost'])).toMatchObject({ status: 1 })
})
