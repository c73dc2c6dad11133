export function reportPage(): string
export function reportPageDefine(): { readonly 'process.env.SNAPSTREAM_REPORT_PAGE': string }
