import { MINUTE_MS, SECOND_MS } from '../../../base/index.ts'
import { PartitionDetector, type PartitionReport } from '../../../topology/index.ts'
import type { Judgement } from '../../../topology/partition/votes.ts'

export const TICK_MS = 500
/** From the cut until a heartbeat has missed its answer, and how much later another one may. */
export const SILENCE_MS = 7.5 * SECOND_MS

/** A node whose peers were all there for a minute. */
export class World {
  nowMs = 1_000_000
  readonly detector = new PartitionDetector(this.nowMs)
  readonly peers: readonly string[]

  constructor(peers: number, networkOf: (peer: string) => string | undefined = () => undefined) {
    this.peers = Array.from({ length: peers }, (_, at) => `peer${at}`)
    for (const peer of this.peers) this.detector.came(peer, networkOf(peer), this.nowMs)
    this.pass(MINUTE_MS)
  }

  get name(): string {
    return this.detector.state.name
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms
    while (this.nowMs < endMs) {
      this.nowMs = Math.min(endMs, this.nowMs + TICK_MS)
      this.detector.tick(this.nowMs)
    }
  }

  lose(peers: readonly string[]): void {
    for (const peer of peers) {
      this.detector.went(peer, this.nowMs)
      this.detector.silent(peer, this.nowMs, this.nowMs - SILENCE_MS)
    }
  }

  come(peers: readonly string[]): void {
    for (const peer of peers) this.detector.came(peer, undefined, this.nowMs)
  }

  heal(): PartitionReport | undefined {
    return this.detector.healed({ syncedLibraries: 2, replayedOperations: 1 }, this.nowMs)
  }
}

export const others = (silent: readonly string[], reached: readonly string[] = []): Judgement => ({
  silent,
  reached,
  votes: 3
})
