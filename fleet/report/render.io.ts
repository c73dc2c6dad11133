import { collectPageData, type ReportInput } from './collect'
import { formatPage } from './html'
import { readPageAssets } from './page.io'

export type { ReportInput }

/** The fleet as one HTML file: it requests nothing from anywhere, and what hosts have written is nothing but text in it. */
export function renderReport(input: ReportInput): string {
  return formatPage(collectPageData(input), readPageAssets())
}
