type Row = Readonly<Record<string, string>>

/** A volume of `vg` as lvs reports it. */
export function lvRow(name: string, changes: Row = {}): Row {
  return {
    ...{ vg_name: 'vg', lv_name: name, lv_dm_path: `/dev/mapper/vg-${name}`, lv_size: '4194304' },
    ...{ lv_kernel_major: '254', lv_kernel_minor: '1', lv_tags: '', origin: '', pool_lv: '' },
    ...{ data_percent: '', metadata_percent: '', lv_snapshot_invalid: '', lv_health_status: '', lv_suspended: '' },
    ...changes,
  }
}

/** What lvs prints. */
export function lvsReport(...rows: readonly Row[]): string {
  return JSON.stringify({ report: [{ lv: rows }] })
}

/** What vgs prints of `vg`. */
export function vgsReport(freeMiB = 1024): string {
  const bytes = (mebibytes: number) => String(mebibytes * 1024 * 1024)
  const vg = { vg_name: 'vg', vg_size: bytes(4096), vg_free: bytes(freeMiB), vg_extent_size: bytes(4) }
  return JSON.stringify({ report: [{ vg: [vg] }] })
}
