import { FLEET_JSON_FORMAT, formatJson } from '../../../fleet/report/json'
import { fleetView, hostView } from '../../support/fleet-view'

test('is the whole view, on one line, with the number of its format', () => {
  const view = fleetView([hostView({ name: 'a\nb' })])
  const json = formatJson(view)
  expect(json.trimEnd()).not.toContain('\n')
  expect(JSON.parse(json)).toEqual({ format: FLEET_JSON_FORMAT, ...view })
})

test('a terminal that shows it is not led astray', () => {
  const view = fleetView([hostView({ name: '\u202Eevil\u009b' })])
  expect(formatJson(view)).not.toMatch(/[\u202E\u009b]/)
  expect(JSON.parse(formatJson(view))).toMatchObject({ hosts: [{ name: '\u202Eevil\u009b' }] })
})
