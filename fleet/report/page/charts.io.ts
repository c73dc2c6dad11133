/** Drawings of figures that are told in words or tables beside them. */
import { formatBytes } from '../../../agent/lib/text'
import { drawing } from './dom.io'
import type { FleetDay } from './series'
import { formatDay, formatRatio } from './words'

const SPARK = { width: 96, height: 22, inset: 2 }

/** A line from the oldest value to the newest, which bears a dot; decoration for a row that has the figures. */
export function sparkline(values: readonly number[]): SVGElement {
  const { width, height, inset } = SPARK
  const node = drawing('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' })
  const max = values.reduce((a, b) => Math.max(a, b), 0)
  if (values.length < 2 || max === 0) return node
  const points = values.map((value, index) => [
    inset + (index / (values.length - 1)) * (width - 2 * inset),
    height - inset - (value / max) * (height - 2 * inset),
  ])
  const path = points.map(([x, y]) => `${x?.toFixed(1)},${y?.toFixed(1)}`).join(' ')
  const [x, y] = points.at(-1) ?? []
  node.append(
    drawing('polyline', { points: `${inset},${height} ${path} ${width - inset},${height}`, class: 'area' }),
    drawing('polyline', { points: path, class: 'line' }),
    drawing('circle', { cx: x, cy: y, r: 1.8, class: 'dot' }),
  )
  return node
}

const CHART = { height: 210, left: 62, right: 40, top: 12, bottom: 22 }

/** Bars of what each day has stored, by class, and the ratio of compression as a line above them. */
export function fleetChart(days: readonly FleetDay[], width: number): SVGElement {
  const { height, left, right, top, bottom } = CHART
  const inner = { width: width - left - right, height: height - top - bottom }
  const most = niceCeiling(days.reduce((max, { total }) => Math.max(max, total), 0))
  const ratioMax = Math.max(2, Math.ceil(days.reduce((max, { ratio }) => Math.max(max, ratio ?? 0), 0)))
  const step = inner.width / Math.max(1, days.length)
  const yOf = (share: number) => top + inner.height * (1 - share)
  const node = drawing('svg', { class: 'chart', viewBox: `0 0 ${width} ${height}`, 'aria-hidden': 'true' })
  for (const share of [0, 0.5, 1]) {
    const y = yOf(share)
    node.append(
      drawing('line', { x1: left, x2: width - right, y1: y, y2: y, class: 'grid' }),
      drawing('text', { x: left - 8, y: y + 4, class: 'axis end' }, formatBytes(most * share)),
      drawing('text', { x: width - right + 8, y: y + 4, class: 'axis ratio' }, `${(ratioMax * share).toFixed(1)}×`),
    )
  }
  for (const [index, { day, stored, total, ratio, runs }] of days.entries()) {
    const x = left + index * step
    const bar = drawing('g', {})
    bar.append(
      drawing('title', {}, `${formatDay(day)}: ${formatBytes(total)} by ${runs} runs, ${formatRatio(ratio)}`),
      drawing('rect', { x, y: top, width: step, height: inner.height, class: 'hit' }),
    )
    let below = 0
    for (const [place, bytes] of stored.entries()) {
      const [from, to] = [below / most, (below + bytes) / most]
      below += bytes
      if (bytes === 0 || most === 0) continue
      bar.append(
        drawing('rect', {
          ...{ x: x + step * 0.14, width: step * 0.72, y: yOf(to), height: inner.height * (to - from) },
          class: `series-${place % 4}`,
        }),
      )
    }
    node.append(bar)
    if (index % 7 === days.length % 7 || index === days.length - 1) {
      const label = formatDay(day).split(' ').slice(1, 3)
      node.append(
        drawing(
          'text',
          { x: x + step / 2, y: height - 6, class: 'axis middle' },
          `${label[0]} ${label[1]?.slice(0, 3) ?? ''}`,
        ),
      )
    }
  }
  const line = days.flatMap(({ ratio }, index) =>
    ratio === undefined ? [] : [`${left + (index + 0.5) * step},${yOf(ratio / ratioMax)}`],
  )
  node.append(drawing('polyline', { points: line.join(' '), class: 'ratio-line' }))
  return node
}

/** The next of 1, 2, 4 and 8 times a power of 1,024 or a tenth of it: what an axis ends with. */
function niceCeiling(bytes: number): number {
  if (bytes <= 0) return 1
  const power = 1024 ** Math.floor(Math.log2(bytes) / 10)
  const steps = [1, 2, 4, 5, 8, 10, 20, 40, 50, 80, 100, 200, 400, 500, 800, 1024]
  return (steps.find((step) => step * power >= bytes) ?? 1024) * power
}
