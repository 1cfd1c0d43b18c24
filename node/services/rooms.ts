import { Signpost, untilAborted } from '../../base/index.ts'

/** What is to come into the store. */
export interface Wanted {
  /** The content, as text, where it is known; what else comes is told apart by something of its own. */
  readonly key: string
  /** Of its files: more than it takes when it shares blocks with others. */
  readonly sizeBytes: number
  /** Its name, for the error. */
  readonly what: string
}

/** Room in the store that was promised to a fetch. */
export interface Room {
  /** So many of its bytes are in the store by now. */
  filled(bytes: number): void
  /** The fetch has ended, in whatever way. Again does nothing. */
  end(): void
}

interface Promised {
  readonly sizeBytes: number
  leftBytes: number
  /** Who fetches the same content at the same time. */
  users: number
}

/**
 * What fetches under way may still bring beside what the store holds. Without it two that each fit, and not both, would fill
 * the store half each, and both fail.
 */
export class Rooms {
  readonly #promised = new Map<string, Promised>()
  readonly #news = new Signpost()
  readonly #onEnd: () => void

  constructor(onEnd: () => void) {
    this.#onEnd = onEnd
  }

  get leftBytes(): number {
    return [...this.#promised.values()].reduce((sum, { leftBytes }) => sum + leftBytes, 0)
  }

  get isEmpty(): boolean {
    return this.#promised.size === 0
  }

  has(key: string): boolean {
    return this.#promised.has(key)
  }

  /** Promises room; who fetches the same content shares one promise. */
  give({ key, sizeBytes }: Wanted): Room {
    const promised = this.#promised.get(key) ?? { sizeBytes, leftBytes: sizeBytes, users: 0 }
    promised.users++
    this.#promised.set(key, promised)
    let isOver = false
    return {
      filled: bytes => {
        // A second attempt counts anew what the first has brought.
        promised.leftBytes = Math.max(0, Math.min(promised.leftBytes, promised.sizeBytes - bytes))
      },
      end: () => {
        if (isOver) return
        isOver = true
        if (--promised.users > 0) return
        this.#promised.delete(key)
        this.#onEnd()
        this.#news.show()
      }
    }
  }

  /** Resolves when a fetch has ended. */
  async ended(signal: AbortSignal): Promise<void> {
    await untilAborted(this.#news.shown(), signal)
  }
}
