import { LVS, parseLvs, parseVgs, VGS } from '../../../agent/source/lvm/reports'
import { refusal } from '../../support/refusal'
import { captured } from '../../support/storage'

test('understands what lvs says of thick, thin and pool volumes, and of snapshots', () => {
  const volumes = new Map(parseLvs(captured('lvs')).map((volume) => [volume.name, volume]))
  expect(volumes.get('srv')).toEqual({
    group: 'vg0',
    name: 'srv',
    device: '/dev/mapper/vg0-srv',
    deviceNumber: '254:0',
    sizeBytes: 64 * 1024 * 1024,
    tags: [],
    invalid: false,
    health: '',
  })
  expect(volumes.get('db-1')).toMatchObject({ device: '/dev/mapper/vg1-db--1', thinPool: 'pool' })
  expect(volumes.get('pool')).toMatchObject({
    dataPercent: expect.any(Number) as number,
    metadataPercent: expect.any(Number) as number,
  })
  expect(volumes.get('foreign')).toMatchObject({ origin: 'srv', invalid: false })
  expect(volumes.get('scratch')).toMatchObject({ tags: ['snapstream.skip'] })
})

test('an invalid snapshot and an inactive volume are seen as such', () => {
  const overflowed = captured('lvs')
    .replace('"lv_snapshot_invalid":""', '"lv_snapshot_invalid":"snapshot invalid"')
    .replace(/"lv_kernel_major":"254", "lv_kernel_minor":"14"/, '"lv_kernel_major":"-1", "lv_kernel_minor":"-1"')
  const foreign = parseLvs(overflowed).find(({ name }) => name === 'foreign')
  expect(foreign?.invalid).toBe(true)
  expect(foreign?.deviceNumber).toBeUndefined()
})

test('a cached volume is neither a snapshot nor thin, whatever lvs has in those columns', () => {
  const cached = captured('lvs').replace(
    /("lv_name":"srv",.*?)"origin":"", "pool_lv":""/,
    '$1"origin":"[srv_corig]", "pool_lv":"[fast_cpool]"',
  )
  const volume = parseLvs(cached).find(({ name }) => name === 'srv')
  expect(cached).toContain('[srv_corig]')
  expect(volume).toMatchObject({ device: '/dev/mapper/vg0-srv' })
  expect(volume).not.toHaveProperty('origin')
  expect(volume).not.toHaveProperty('thinPool')
})

test('understands what vgs says', () => {
  const [first] = parseVgs(captured('vgs'))
  expect(first).toMatchObject({ name: 'vg0', extentBytes: 4 * 1024 * 1024 })
  expect((first?.freeBytes ?? 0) % (4 * 1024 * 1024)).toBe(0)
})

test('a host without LVM has an empty report', () => {
  expect(parseLvs('{"report": [{"lv": []}]}')).toEqual([])
})

test.each([
  ['nothing', ''],
  ['no JSON', 'lvs: command failed'],
  ['no report', '{}'],
  ['no rows', '{"report": [{}]}'],
  ['a missing column', '{"report": [{"vg": [{"vg_name":"vg0"}]}]}'],
  ['a size with a unit', captured('vgs').replace(/"vg_size":"(\d+)"/, '"vg_size":"$1B"')],
])('%s is not taken for an empty answer', (_what, json) => {
  expect(refusal(() => parseVgs(json))).toMatchObject({
    code: 'OUTPUT_UNREADABLE',
    message: expect.stringContaining('the output of vgs is not understood') as string,
  })
})

test('lvm.conf cannot change what the reports mean', () => {
  for (const [, ...words] of [LVS, VGS]) {
    const config = words[words.indexOf('--config') + 1]
    for (const setting of ['list_item_separator=","', 'binary_values_as_numeric=0', 'compact_output=0']) {
      expect(config).toContain(setting)
    }
  }
})

test('a row of lvs that is not understood costs its volume alone, which is in order for nobody', () => {
  const odd = captured('lvs').replace(/("lv_name":"srv",.*?"lv_size":)"\d+"/, '$1"64.00m"')
  const volumes = new Map(parseLvs(odd).map((volume) => [volume.name, volume]))
  expect(volumes.size).toBe(parseLvs(captured('lvs')).length)
  expect(volumes.get('srv')).toMatchObject({
    device: '/dev/mapper/vg0-srv',
    unreadable: 'lv_size is "64.00m"',
    health: 'a row that is not understood',
  })
  expect(volumes.get('home')).not.toHaveProperty('unreadable')
})

test('what is not understood is named by its place', () => {
  expect(refusal(() => parseVgs('{"report": [{"vg": [{"vg_name":"vg0"}]}]}')).message).toMatch(
    /^the output of vgs is not understood at report\.0\.vg\.0\.vg_size: \{/,
  )
})
