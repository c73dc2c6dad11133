/** EC2's answers: a list is a series of <item>s, and what is not there is left out. */
export type Xml = string | number | boolean | undefined | readonly Xml[] | { readonly [element: string]: Xml }

export function formatAnswer(action: string, requestId: string, content: Xml): string {
  const root = `${action}Response`
  const inside = formatXml({ requestId }) + formatXml(content)
  return `<?xml version="1.0" encoding="UTF-8"?>\n<${root} xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">${inside}</${root}>`
}

export function formatError(code: string, message: string, requestId: string): string {
  const content = { Response: { Errors: { Error: { Code: code, Message: message } }, RequestID: requestId } }
  return `<?xml version="1.0" encoding="UTF-8"?>\n${formatXml(content)}`
}

function formatXml(content: Xml): string {
  if (content === undefined) return ''
  if (isList(content)) return content.map((item) => `<item>${formatXml(item)}</item>`).join('')
  if (typeof content === 'object') {
    const elements = Object.entries(content).filter(([, value]) => value !== undefined)
    return elements.map(([name, value]) => `<${name}>${formatXml(value)}</${name}>`).join('')
  }
  return String(content).replace(/[&<>\r]/g, (character) => `&#${character.charCodeAt(0)};`)
}

function isList(content: Xml): content is readonly Xml[] {
  return Array.isArray(content)
}
