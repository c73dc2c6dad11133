/** The file around the page's data: all of its other text is ours. */
import { printableJson } from '../../agent/lib/printable'
import { counted } from '../../agent/lib/text'
import { CALM_STATES, HOST_STATES } from '../model/records'
import type { PageData } from './page-data'
import type { PageAssets } from './page.io'

/** Whatever needs nobody: green. Anything else: red. */
const ICON = { calm: '%231a7f4b', trouble: '%23c8322b' }

export function formatPage(data: PageData, { script, style, scriptHash, styleHash }: PageAssets): string {
  const troubled = countTroubled(data)
  const time = new Date(data.at * 1000).toISOString().slice(0, 16).replace('T', ' ')
  const policy = [
    "default-src 'none'",
    `script-src '${scriptHash}'`,
    `style-src '${styleHash}'`,
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ')
  const icon = `data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle cx='8' cy='8' r='7' fill='${troubled === 0 && isAllRead(data) ? ICON.calm : ICON.trouble}'/%3E%3C/svg%3E`
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="robots" content="noindex">
<meta name="color-scheme" content="light dark">
<title>${troubled === 0 ? 'No host needs anybody' : `${counted(troubled, 'host')} in trouble`} · Snapstream, ${time} UTC</title>
<link rel="icon" href="${icon}">
<style>${style}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the fleet</a>
<div id="page"><p class="alarm">Nothing is shown yet. Where this stays, the file is not whole, or the browser is older than 2024.</p></div>
<noscript>
<h1>Snapstream: the fleet at ${time} UTC</h1>
<p>This page shows hosts, runs and sizes by a script of its own, which is switched off here. The file fleet.csv beside it has the hosts as a table.</p>
<table><caption>Hosts by state</caption><thead><tr><th scope="col">State</th><th scope="col">Hosts</th></tr></thead><tbody>
${HOST_STATES.map((state) => `<tr><th scope="row">${state}</th><td>${data.counts[state]}</td></tr>`).join('\n')}
</tbody></table>
</noscript>
<script type="application/json" id="data">${escapeForScript(printableJson(data))}</script>
<script>${script}</script>
</body>
</html>
`
}

/** No text can end the element that it is in, or begin another one: JSON needs none of these characters outside of strings. */
export function escapeForScript(json: string): string {
  return json.replaceAll(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)
}

function countTroubled({ counts }: PageData): number {
  return HOST_STATES.filter((state) => !CALM_STATES.has(state)).reduce((sum, state) => sum + counts[state], 0)
}

function isAllRead({ accounts }: PageData): boolean {
  return accounts.every(({ problem }) => problem === undefined)
}
