/** The bundle of the auditor, as it is deployed. What it does is tested with servers in auditor.system.test.ts. */
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readAuditorDefine } from '../../../infra/agent-files'
import { AuditorBundle } from '../../support/auditor-bundle'
import { DEFAULT_STAGE, stubFiles } from '../../infra/synthesize'

const schedules = DEFAULT_STAGE.schedules.map((schedule) => ({
  ...schedule,
  tag: { key: 'Backup', value: `$(reboot) "yes" 'no' \`x\`` },
}))
let bundle: AuditorBundle
beforeAll(() => {
  const define = readAuditorDefine(join(__dirname, '../../..'))
  bundle = new AuditorBundle({ ...DEFAULT_STAGE, schedules }, { ...stubFiles(), define })
})
afterAll(() => bundle.remove())

test('it is made on this machine, without Docker, and is small', () => {
  expect(statSync(bundle.file).size).toBeLessThan(8 * 1024 * 1024)
})

test('without its variables it says what is missing, and fails', async () => {
  const { error } = await bundle.invoke({}, {}, '123456789012')
  expect(error).toMatch(/the auditor/)
})
