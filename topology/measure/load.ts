import { MINUTE_MS } from '../../base/index.ts'
import { DecayingSum } from './decay.ts'

/** What was taken of a peer is forgotten about as fast as a queue there empties. */
const HALF_LIFE_MS = MINUTE_MS

export interface LoadFigures {
  /** Transfers from it that are under way. */
  readonly transfers: number
  /** Bytes that it has sent here lately: half of those a minute ago. */
  readonly bytes: number
}

/** What this node has a peer do for it. */
export class Load {
  readonly #bytes: DecayingSum
  #transfers = 0

  constructor(nowMs: number) {
    this.#bytes = new DecayingSum(HALF_LIFE_MS, nowMs)
  }

  begin(): void {
    this.#transfers++
  }

  end(bytes: number, nowMs: number): void {
    this.#transfers = Math.max(0, this.#transfers - 1)
    this.#bytes.add(bytes, nowMs)
  }

  figuresAt(nowMs: number): LoadFigures {
    return { transfers: this.#transfers, bytes: this.#bytes.at(nowMs) }
  }
}
