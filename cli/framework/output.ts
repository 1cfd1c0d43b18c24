import { styleText } from 'node:util'
import type { CatalogError, ErrorJson } from '../../base/index.ts'
import { printable } from './format.ts'
import type { Io, OutputStream } from './io.ts'

export type ColorMode = 'auto' | 'always' | 'never'

export interface OutputOptions {
  json: boolean
  quiet: boolean
  color: ColorMode
}

type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

/**
 * Where a command's words go. Results go to stdout: one JSON document with `--json`, else text. Everything else (notes,
 * warnings, errors) goes to stderr, so that stdout can always be piped.
 */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly #io: Io
  readonly #color: ColorMode

  constructor(io: Io, options: OutputOptions) {
    this.#io = io
    this.json = options.json
    this.quiet = options.quiet
    this.#color = options.color
  }

  /** The command's result. `text` is asked for only when it is shown; an empty text prints nothing. */
  result(document: unknown, text: () => string): void {
    const shown = this.json ? JSON.stringify(document) : text()
    if (shown !== '') this.line(shown)
  }

  /** One raw line on stdout: for commands that stream. */
  line(text: string): void {
    this.#io.stdout.write(`${text}\n`)
  }

  /** Bytes of text as they are: completion scripts, generated documents. */
  raw(text: string): void {
    this.#io.stdout.write(text)
  }

  /** Something good to know; silent with `--quiet` and with `--json`. */
  note(text: string): void {
    if (!this.quiet && !this.json) this.#io.stderr.write(`${text}\n`)
  }

  /** Something the reader should look at; shown always, on stderr. */
  warn(text: string): void {
    this.#io.stderr.write(
      `${this.style('yellow', 'catalog: warning:', this.#io.stderr)} ${printable(text)}\n`
    )
  }

  error(error: CatalogError): void {
    if (this.json) {
      const document: { error: ErrorJson } = { error: error.toJSON() }
      this.line(JSON.stringify(document))
      return
    }
    const message = printable(error.message)
    const hint = error.hint === '' ? '' : `; ${printable(error.hint)}`
    const requestId = error.details?.requestId
    const request = typeof requestId === 'string' ? ` (request ${printable(requestId)})` : ''
    const head = this.style('red', 'catalog:', this.#io.stderr)
    this.#io.stderr.write(`${head} ${error.code}: ${message}${request}${hint}\n`)
  }

  style(style: Style, text: string, stream: OutputStream = this.#io.stdout): string {
    return this.colours(stream) ? styleText(style, text, { validateStream: false }) : text
  }

  /** Whether what goes there has colours: --color, else NO_COLOR, else whether it is a terminal that shows them. */
  colours(stream: OutputStream): boolean {
    if (this.#color !== 'auto') return this.#color === 'always'
    const { NO_COLOR: noColor, TERM: term } = this.#io.env
    if (noColor !== undefined && noColor !== '') return false
    return stream.isTTY === true && term !== 'dumb'
  }
}
