import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { AGENT } from '../../agent/options/agent'
import { readConfigFile } from '../../agent/options/config-file.io'
import { refusalOf } from '../support/refusal'
import { makeTrustedDirectory } from '../support/trusted-directory'

/** Of nobody: any user but root. */
const UID = 65534

let directory: string
let file: string
beforeEach(async () => {
  directory = makeTrustedDirectory()
  file = join(directory, 'config.json')
  await writeFile(file, '{"bucket": "backups"}')
})
afterEach(() => rm(directory, { recursive: true }))

test('what is in the file is as it was written', async () => {
  expect(await readConfigFile(AGENT, { file, named: true })).toEqual({ bucket: 'backups' })
})

test.each<[string, string, RegExp, () => Promise<void>]>([
  ['that anybody can write', 'can be written by others (mode 0646)', /chmod go-w \//, () => chmod(file, 0o646)],
  ['that its group can write', 'can be written by others (mode 0664)', /chmod go-w \//, () => chmod(file, 0o664)],
  ['that is somebody else’s', `config.json belongs to user ${UID}`, /chown root \//, () => chown(file, UID, 0)],
  ['in a directory that anybody can write', '(mode 0777)', /chmod go-w \//, () => chmod(dirname(file), 0o777)],
  ['in somebody else’s directory', `belongs to user ${UID}`, /chown root \//, () => chown(dirname(file), UID, 0)],
])('a file %s is not trusted, since it names programs to run', async (_, complaint, remedy, spoil) => {
  await spoil()
  const told = await refusalOf(readConfigFile(AGENT, { file, named: false }))
  expect(told).toMatchObject({ code: 'CONFIG_INVALID', hint: expect.stringMatching(remedy) as string })
  expect(told.message).toContain(complaint)
})

test('one’s own is believed by an agent that does not run as root', async () => {
  await chown(file, UID, 0)
  expect(await readConfigFile(AGENT, { file, named: true }, UID)).toEqual({ bucket: 'backups' })
})

test('the file that nobody named need not be there, and one that somebody named has to be', async () => {
  await rm(file)
  expect(await readConfigFile(AGENT, { file, named: false })).toEqual({})
  expect(await refusalOf(readConfigFile(AGENT, { file, named: true }))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringMatching(/config\.json cannot be read: ENOENT/) as string,
    hint: expect.stringContaining('SNAPSTREAM_CONFIG') as string,
  })
})

test('a file that is there and cannot be read is told of, though nobody named it', async () => {
  await rm(file)
  await mkdir(file)
  expect(await refusalOf(readConfigFile(AGENT, { file, named: false }))).toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('EISDIR') as string,
  })
})
