/**
 * Where each `key = value` stands in a TOML text. The TOML library gives values but no positions, and both "which line
 * is wrong" and "change this value, keep my comments" need them. The text must be valid TOML (the library has read it
 * before), so the scan only has to skip strings, comments and brackets correctly.
 */
export interface TomlStatement {
  /** Full key: that of the table it stands in, then its own, in parts. */
  readonly path: readonly string[]
  /** 1 is the first line. */
  readonly line: number
  /** Offsets of the whole statement, from its key to the end of its last line without the line break. */
  readonly start: number
  readonly end: number
  /** Offsets of the value alone; equal for a table header. */
  readonly valueStart: number
  readonly valueEnd: number
  readonly kind: 'table' | 'value'
}

export function tomlStatements(text: string): TomlStatement[] {
  const statements: TomlStatement[] = []
  let table: string[] = []
  let at = 0
  let line = 1
  while (at < text.length) {
    const start = skip(text, at, /[ \t]*/y)
    let end = skip(text, start, /[^\r\n]*/y)
    const first = text[start]
    if (first === '[') {
      table = headerPath(text.slice(start, end))
      statements.push({ path: table, line, start, end, valueStart: end, valueEnd: end, kind: 'table' })
    } else if (first !== undefined && !'#\r\n'.includes(first)) {
      const key = readKey(text, start)
      const valueStart = skip(text, key.end, /[ \t]*=[ \t]*/y)
      const valueEnd = endOfValue(text, valueStart)
      end = skip(text, valueEnd, /[^\r\n]*/y)
      statements.push({
        path: [...table, ...key.path],
        line,
        start,
        end,
        valueStart,
        valueEnd,
        kind: 'value'
      })
    }
    const next = skip(text, end, /\r?\n|/y)
    line += countLines(text, at, next)
    at = next
  }
  return statements
}

function countLines(text: string, from: number, to: number): number {
  return text.slice(from, to).split('\n').length - 1
}

/** The offset after what the sticky `pattern` matches at `at`. */
function skip(text: string, at: number, pattern: RegExp): number {
  pattern.lastIndex = at
  return at + (pattern.exec(text)?.[0].length ?? 0)
}

/** The path of `[a.b]`; an array of tables `[[a.b]]` gets a last part that no value can have. */
function headerPath(header: string): string[] {
  const isArray = header.startsWith('[[')
  const { path } = readKey(header, skip(header, 0, /\[+[ \t]*/y))
  return isArray ? [...path, '[]'] : path
}

/** A dotted key of bare and quoted parts. */
function readKey(text: string, start: number): { path: string[]; end: number } {
  const path: string[] = []
  let at = start
  for (;;) {
    const partEnd = text[at] === '"' || text[at] === "'" ? endOfString(text, at) : skip(text, at, /[\w-]*/y)
    path.push(unquote(text.slice(at, partEnd)))
    const dotEnd = skip(text, partEnd, /[ \t]*\.[ \t]*/y)
    if (dotEnd === partEnd) return { path, end: partEnd }
    at = dotEnd
  }
}

function unquote(part: string): string {
  if (part.startsWith("'")) return part.slice(1, -1)
  // Escapes of basic strings that matter in a key are those of JSON.
  return part.startsWith('"') ? part.slice(1, -1).replace(/\\(["\\])/g, '$1') : part
}

/** The end of the value at `start`: a string, a bracketed list or inline table (over several lines), or a bare word. */
function endOfValue(text: string, start: number): number {
  let at = start
  let depth = 0
  while (at < text.length) {
    const char = text[at]!
    if (char === '"' || char === "'") at = endOfString(text, at)
    else if (char === '#') {
      if (depth === 0) break
      at = skip(text, at, /[^\n]*/y)
    } else if (depth === 0 && (char === '\n' || char === '\r')) break
    else {
      if (char === '[' || char === '{') depth++
      if (char === ']' || char === '}') depth--
      at++
    }
  }
  return start + text.slice(start, at).trimEnd().length
}

function endOfString(text: string, start: number): number {
  const quote = text[start]!
  const triple = quote.repeat(3)
  if (text.startsWith(triple, start)) {
    const pattern = quote === '"' ? /(?:\\[\s\S]|[^\\"]|"(?!""))*"""/y : /[\s\S]*?'''/y
    const end = skip(text, start + 3, pattern)
    // Up to two quotes may stand right before the closing three.
    return skip(text, end, quote === '"' ? /"{0,2}/y : /'{0,2}/y)
  }
  return skip(text, start + 1, quote === '"' ? /(?:\\.|[^"\\\n])*"/y : /[^'\n]*'/y)
}
