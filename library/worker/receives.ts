/**
 * Blocks from peers on their way into the store. Each fetch has a receive of its own, so that it waits for its own blocks
 * only, hears of the failure of every stage that held one of them, and leaves nothing behind when it ends: what was put is
 * committed, batches that were withdrawn before their turn are dropped, and nobody else is told of its failures.
 *
 * A receive begins with its first batch. Of one that a worker before this one knew nothing is here: its blocks are in the index,
 * or they are not, and its owner looks.
 */
import { CatalogError } from '../../base/index.ts'
import { hashBlock, idHex, rawBytesOf, sameId } from '../content/blocks.ts'
import type { SegmentStore } from '../content/segments.ts'
import { WriteSession } from '../content/stage.ts'
import type { IncomingBlock } from '../content/types.ts'
import type { Scheduler } from './scheduler.ts'

/** Receives open at once: many more than fetches that run at once, each of which ends its own. */
const MAX_RECEIVES = 1024

interface OpenReceive {
  session: WriteSession
  /** Batches that are being hashed and put. */
  writing: Set<Promise<void>>
}

export class Receives {
  readonly #scheduler: Scheduler
  readonly #open = new Map<number, OpenReceive>()

  constructor(modules: { scheduler: Scheduler }) {
    this.#scheduler = modules.scheduler
  }

  get size(): number {
    return this.#open.size
  }

  /**
   * BYTES_WRONG for the first block that is not what its id says; then nothing of the batch is kept. Once a stage with
   * blocks of this receive was rolled back, the reason of that, until it is flushed.
   */
  async write(
    number: number,
    blocks: IncomingBlock[],
    segments: SegmentStore,
    signal: AbortSignal
  ): Promise<void> {
    const { session, writing } = this.#begin(number)
    const run = this.#write(blocks, segments, session, signal)
    writing.add(run)
    try {
      await run
    } finally {
      writing.delete(run)
    }
  }

  /** Everything that was put so far is on disk and indexed. Rejects when a stage with blocks of it was rolled back. */
  async flush(number: number, segments: SegmentStore): Promise<void> {
    const open = this.#open.get(number)
    if (open !== undefined) await segments.flush(open.session)
  }

  /** The same for all that was begun, and forgets the receive, however that goes. */
  async end(number: number, segments: SegmentStore): Promise<void> {
    const open = this.#open.get(number)
    if (open === undefined) return
    try {
      await Promise.allSettled(open.writing)
      await segments.flush(open.session)
    } finally {
      this.#open.delete(number)
    }
  }

  #begin(number: number): OpenReceive {
    const open = this.#open.get(number)
    if (open !== undefined) return open
    if (this.#open.size >= MAX_RECEIVES)
      throw new CatalogError('BUSY', `${MAX_RECEIVES} contents are being received already`)
    const begun = { session: new WriteSession(), writing: new Set<Promise<void>>() }
    this.#open.set(number, begun)
    return begun
  }

  async #write(
    blocks: IncomingBlock[],
    segments: SegmentStore,
    session: WriteSession,
    signal: AbortSignal
  ): Promise<void> {
    await this.#scheduler.run('receive', async slice => {
      // What is brought after a stage was rolled back would make nothing whole, and may find no room either.
      if (session.failure !== undefined) throw session.failure
      for (const block of blocks) {
        // Who has gone wants none of it; a batch is put whole, or not at all.
        signal.throwIfAborted()
        const raw = rawBytesOf(block)
        if (raw === undefined || !sameId(hashBlock(raw), block.id))
          throw new CatalogError('BYTES_WRONG', `block ${idHex(block.id)} does not match its hash`, {
            details: { id: idHex(block.id) }
          })
        if (slice.due()) await slice.pause()
      }
      for (const block of blocks) await segments.put(block, session)
    })
  }
}
