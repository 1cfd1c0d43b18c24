import type { PeerId } from '@libp2p/interface'
import { type BufferPool, CatalogError, MIB, toCatalogError } from '../../../base/index.ts'
import { hashBlock, type IncomingBlock, type Receive, rawBytesOf } from '../../../library/index.ts'
import type { SourceAnswer } from '../source-stream.ts'
import type { ReleaseWalk } from '../walk.ts'
import type { WalkWant } from '../walk-steps.ts'
import type { Assignment } from './asked.ts'
import type { SwarmPlanner } from './planner.ts'
import { SourceFailure } from './source-failure.ts'

/** Bytes handed to the store and not yet written, of all sources: some are hashed while the next arrive. */
export const MAX_UNWRITTEN_BYTES = 8 * MIB

/** Who brought an answer, and is told when its bytes turn out to be wrong. */
interface Bringer {
  readonly peerId: PeerId
  fail(failure: SourceFailure): void
}

export interface IntakeModules {
  readonly store: Pick<Receive, 'writeBlocks'>
  readonly walk: Pick<ReleaseWalk, 'written'>
  readonly planner: SwarmPlanner<WalkWant>
  /** Where the memory of answers goes back to. */
  readonly buffers: BufferPool
  /** What a peer brought was right and is kept: bytes as they came over the wire. */
  readonly onStored: (peerId: PeerId, wireBytes: number) => void
  /** An answer was taken, or is written: there may be more to ask for. */
  readonly onChange: () => void
  /** What no other source can mend. */
  readonly onFailure: (error: unknown) => void
}

/**
 * Answers on their way into the store, each as one batch: the worker hashes every block before it keeps any. Never more of
 * them than a bound, whatever the number of sources.
 */
export class Intake {
  readonly #modules: IntakeModules
  readonly #signal: AbortSignal
  /** Writes under way; none of these promises rejects. */
  readonly #writes = new Set<Promise<void>>()
  #unwrittenBytes = 0

  /** The signal ends the swarm. */
  constructor(modules: IntakeModules, signal: AbortSignal) {
    this.#modules = modules
    this.#signal = signal
  }

  get isWriting(): boolean {
    return this.#writes.size > 0
  }

  /** Looks into nodes and pages, and has the blocks written; does not wait for that. Throws a SourceFailure for wrong bytes. */
  accept(bringer: Bringer, assignment: Assignment<WalkWant>, answer: SourceAnswer<WalkWant>): void {
    const { request, blocks, wireBytes } = answer
    const { planner, onChange } = this.#modules
    try {
      for (const [i, block] of blocks.entries()) useBlock(request.wants[i]!, block)
    } catch (error) {
      planner.rejected(assignment)
      throw error
    }
    this.#unwrittenBytes += wireBytes
    const writing: Promise<void> = this.#write(bringer, assignment, answer).finally(() => {
      this.#unwrittenBytes -= wireBytes
      this.#writes.delete(writing)
      onChange()
    })
    this.#writes.add(writing)
    onChange()
  }

  /** Resolves when there is room for another answer. */
  async room(): Promise<void> {
    while (this.#unwrittenBytes > MAX_UNWRITTEN_BYTES) await Promise.race(this.#writes)
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes)
  }

  /** Never rejects. */
  async #write(
    bringer: Bringer,
    assignment: Assignment<WalkWant>,
    { blocks, buffer, wireBytes }: SourceAnswer<WalkWant>
  ): Promise<void> {
    const { store, walk, planner, buffers, onStored, onFailure } = this.#modules
    try {
      await store.writeBlocks(blocks, this.#signal)
      buffers.give(buffer)
      onStored(bringer.peerId, wireBytes)
      await walk.written(assignment.request.wants, this.#signal)
    } catch (thrown) {
      planner.rejected(assignment)
      const error = toCatalogError(thrown)
      if (error.code === 'BYTES_WRONG') bringer.fail(new SourceFailure(error))
      else onFailure(thrown)
    }
  }
}

/** Hashes a node or page and gives its bytes to the walk, in memory of their own: the block's are used again. */
function useBlock(want: WalkWant, block: IncomingBlock): void {
  if (want.use === undefined) return
  const raw = rawBytesOf(block)
  if (raw === undefined || Buffer.compare(hashBlock(raw), want.id) !== 0)
    throw new SourceFailure(new CatalogError('BYTES_WRONG', 'a tree node or page does not match its hash'))
  if (want.isUsed) return
  want.isUsed = true
  want.use(raw === block.bytes ? raw.slice() : raw)
}
