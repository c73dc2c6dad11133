/** Asks the stand-in as a program with an HTTP client would. The AWS CLI asks it in `aws-cli.system.test.ts`. */
import { formatAuthorization } from './signature'
import type { ActionName } from './actions'
import type { RunningEc2 } from './index'

export interface Ec2Answer {
  readonly status: number
  /** Of an error. */
  readonly code: string | undefined
  readonly message: string | undefined
  /** The texts of all elements of a name, in their order. */
  texts(element: string): string[]
}

/** @param parameters - with the names as they stand in a form: `Filter.1.Value.1` */
export async function askEc2(
  ec2: RunningEc2,
  action: ActionName,
  parameters: Readonly<Record<string, string>> = {},
): Promise<Ec2Answer> {
  const body = new URLSearchParams({ Action: action, Version: '2016-11-15', ...parameters }).toString()
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const headers = { host: new URL(ec2.endpoint).host, 'x-amz-date': time }
  const request = { method: 'POST', path: '/', headers, body }
  const authorization = formatAuthorization(request, Object.keys(headers), ec2)
  const response = await fetch(ec2.endpoint, {
    ...{ method: 'POST', body },
    headers: { ...headers, authorization, 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  })
  const xml = await response.text()
  const texts = (element: string) => elements(xml, element)
  return { status: response.status, code: texts('Code')[0], message: texts('Message')[0], texts }
}

function elements(xml: string, name: string): string[] {
  const found = [...xml.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))]
  return found.map(([, text = '']) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))))
}
