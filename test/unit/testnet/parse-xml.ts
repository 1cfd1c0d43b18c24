import { createRequire } from 'node:module'

export interface XmlElement {
  readonly name: string
  readonly attributes: Record<string, string>
  readonly children: XmlElement[]
  text: string
}

/** Of the part of `sax` that is used here; the package has no types. */
interface Parser {
  onopentag(tag: { name: string; attributes: Record<string, string> }): void
  onclosetag(): void
  ontext(text: string): void
  onerror(error: Error): void
  write(text: string): { close(): void }
}
const { parser } = createRequire(import.meta.url)('sax') as { parser(strict: boolean): Parser }

/** The one element of a document and what is in it. Throws for what is not well-formed. */
export function parseXml(text: string): XmlElement {
  const root: XmlElement = { name: '', attributes: {}, children: [], text: '' }
  const open = [root]
  const reader = parser(true)
  reader.onopentag = ({ name, attributes }) => {
    const element = { name, attributes, children: [], text: '' }
    open.at(-1)!.children.push(element)
    open.push(element)
  }
  reader.onclosetag = () => void open.pop()
  reader.ontext = said => {
    open.at(-1)!.text += said
  }
  reader.onerror = error => {
    throw error
  }
  reader.write(text).close()
  if (root.children.length !== 1) throw new Error(`${root.children.length} elements instead of one`)
  return root.children[0]!
}

/** All elements of that name, in their order. */
export function allOf(element: XmlElement, name: string): XmlElement[] {
  return [
    ...(element.name === name ? [element] : []),
    ...element.children.flatMap(child => allOf(child, name))
  ]
}
