/** How what users did has ended: counts by operation and by code, and a few messages of each code. */
import { sumOf } from './history.ts'

/** Of each code; they are mostly the same. */
const MAX_MESSAGES = 3
/** Codes come from nodes. */
const MAX_CODES = 100

export class Outcomes {
  readonly #done: Record<string, number> = {}
  readonly #failed = new Map<string, Record<string, number>>()
  readonly #messages = new Map<string, string[]>()

  /** It ended well, or with this code. */
  add(kind: string, failure?: { readonly code: string; readonly message: string }): void {
    if (failure === undefined) {
      this.#done[kind] = (this.#done[kind] ?? 0) + 1
      return
    }
    const { code, message } = failure
    const codes = this.#failed.get(kind) ?? {}
    codes[code] = (codes[code] ?? 0) + 1
    this.#failed.set(kind, codes)
    const messages = this.#messages.get(code) ?? []
    if (messages.length < MAX_MESSAGES && this.#messages.size < MAX_CODES)
      this.#messages.set(code, [...messages, message])
  }

  get done(): number {
    return Object.values(this.#done).reduce((sum, count) => sum + count, 0)
  }

  /** All failures by code. */
  get failed(): Record<string, number> {
    return sumOf([...this.#failed.values()])
  }

  messagesOf(code: string): readonly string[] {
    return this.#messages.get(code) ?? []
  }

  /** For reports: `fetch: 120 done, 3 NO_PROVIDERS`. */
  lines(): string[] {
    const kinds = [...new Set([...Object.keys(this.#done), ...this.#failed.keys()])].sort()
    return kinds.map(kind => {
      const failures = Object.entries(this.#failed.get(kind) ?? {}).map(([code, count]) => `${count} ${code}`)
      return `${kind}: ${[`${this.#done[kind] ?? 0} done`, ...failures].join(', ')}`
    })
  }
}
