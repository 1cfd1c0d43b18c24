/** Text as markup, for HTML and XML alike. Names and errors come from programs and peers: anything may be in them. */

/** XML 1.0 has no way at all to say these, not even escaped: most control characters, halves of pairs, and two that are no characters. */
const NOT_IN_XML =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g
const REPLACEMENT = '\ufffd'
const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  // Parsers make spaces of these in attributes, and a new line of a return anywhere.
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;'
}

/** What stands between tags. */
export const escapeText = (text: string): string =>
  text.replace(NOT_IN_XML, REPLACEMENT).replace(/[&<>\r]/g, character => ENTITIES[character]!)

/** What stands between double quotes in a tag. */
export const escapeAttribute = (text: string): string =>
  text.replace(NOT_IN_XML, REPLACEMENT).replace(/[&<>"'\t\n\r]/g, character => ENTITIES[character]!)

export type Attributes = Readonly<Record<string, string | number | undefined>>

/** `<name a="1">…</name>`; `content` is markup already. Attributes without a value are left out. */
export function element(
  name: string,
  attributes: Attributes,
  content: string | readonly string[] = ''
): string {
  const text = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escapeAttribute(String(value))}"`)
    .join('')
  const inside = typeof content === 'string' ? content : content.join('')
  return `<${name}${text}>${inside}</${name}>`
}
