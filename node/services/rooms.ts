import { Signpost, untilAborted } from '../../base/index.ts'

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

  has(content: string): boolean {
    return this.#promised.has(content)
  }

  /** Promises room for a content; who fetches the same content shares one promise. */
  give(content: string, sizeBytes: number): Room {
    const promised = this.#promised.get(content) ?? { sizeBytes, leftBytes: sizeBytes, users: 0 }
    promised.users++
    this.#promised.set(content, promised)
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
        this.#promised.delete(content)
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
