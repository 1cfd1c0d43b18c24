import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { BufferPool, CatalogError, type Clock, MIB, toCatalogError } from '../../base/index.ts'
import { type ContentStore, hashBlock, type IncomingBlock, rawBytesOf } from '../../library/index.ts'
import { MAX_ANSWER_BYTES } from './limits.ts'
import { type PlannedRequest, RequestBuilder } from './planner.ts'
import { type SourceAnswer, type SourceModules, SourceStream } from './source-stream.ts'
import type { ReleaseWalk } from './walk.ts'
import type { WalkWant } from './walk-steps.ts'

/** Bytes handed to the store and not yet written: one answer is hashed while the next ones arrive. */
const MAX_UNWRITTEN_BYTES = 8 * MIB
/** As many answers as may be unwritten, and the one that is being read. */
const MAX_KEPT_BUFFERS = MAX_UNWRITTEN_BYTES / MAX_ANSWER_BYTES + 1

/** A failure of one source: another may do better. Every other error ends the whole fetch. */
export class SourceFailure extends Error {
  readonly reason: CatalogError

  constructor(reason: CatalogError) {
    super(reason.message, { cause: reason })
    this.reason = reason
  }
}

export interface TransferModules extends SourceModules {
  readonly store: Pick<ContentStore, 'writeBlocks'>
  readonly walk: ReleaseWalk
  /** Called after each answer with its bytes on the wire. */
  readonly onAnswer: (wireBytes: number) => void
}

export interface TransferOptions {
  readonly networkId: string
  readonly peerId: PeerId
  readonly record: CID
  /** Requests that wait for their answers at once. */
  readonly requestsInFlight: number
  readonly signal: AbortSignal
}

/**
 * Draws from one source whatever the walk misses, until the walk is done or the source fails. Keeps a window of
 * requests in flight, hands each answer to the store as one batch (whose worker hashes every block before it keeps
 * any), and never has more unwritten than a bound. On failure everything that was asked for and is not written goes back
 * to the walk, so that the next source goes on where this one stopped.
 */
export async function drawFrom(modules: TransferModules, options: TransferOptions): Promise<void> {
  await new Transfer(modules, options).run()
}

class Transfer {
  readonly #modules: TransferModules
  readonly #options: TransferOptions
  readonly #clock: Clock
  readonly #buffers = new BufferPool({ sizeBytes: MAX_ANSWER_BYTES, maxKept: MAX_KEPT_BUFFERS, shared: true })
  /** Writes under way; none of these promises rejects. */
  readonly #writes = new Set<Promise<void>>()
  #unwrittenBytes = 0
  #failure: unknown
  #hasFailed = false
  #source: SourceStream<WalkWant> | undefined

  constructor(modules: TransferModules, options: TransferOptions) {
    this.#modules = modules
    this.#options = options
    this.#clock = modules.clock
  }

  async run(): Promise<void> {
    const { signal } = this.#options
    const source = await this.#open()
    this.#source = source
    const onAbort = (): void => source.abort(new CatalogError('ABORTED', 'the fetch was aborted'))
    signal.addEventListener('abort', onAbort)
    try {
      await this.#draw(source)
      source.close()
    } catch (error) {
      source.abort(toCatalogError(error instanceof SourceFailure ? error.reason : error))
      await this.#allWritten()
      for (const { wants } of source.unanswered) this.#modules.walk.failed(wants)
      signal.throwIfAborted()
      throw this.#hasFailed ? this.#failure : error
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #open(): Promise<SourceStream<WalkWant>> {
    const { networkId, peerId, record, signal } = this.#options
    return await ofSource(
      SourceStream.open<WalkWant>(
        { libp2p: this.#modules.libp2p, clock: this.#clock },
        { networkId, peerId, record, signal, buffers: this.#buffers }
      ),
      signal
    )
  }

  async #draw(source: SourceStream<WalkWant>): Promise<void> {
    const { walk } = this.#modules
    const { signal } = this.#options
    let stalls = 0
    for (;;) {
      await this.#fill(source)
      if (source.inFlight === 0) {
        if (walk.phase === 'done') break
        // What the walk waits for is being written, or was just now: what it finds then is asked for.
        if (this.#writes.size === 0 && ++stalls > 1)
          throw new CatalogError('INTERNAL', 'a fetch waits for nothing')
        await this.#allWritten()
        this.#check()
        continue
      }
      stalls = 0
      this.#accept(await this.#next(source))
      while (this.#unwrittenBytes > MAX_UNWRITTEN_BYTES) await Promise.race(this.#writes)
      this.#check()
      signal.throwIfAborted()
    }
    await this.#allWritten()
    this.#check()
  }

  /** Asks until the window is full or the walk has nothing more for now. */
  async #fill(source: SourceStream<WalkWant>): Promise<void> {
    while (source.inFlight < this.#options.requestsInFlight) {
      const request = await this.#plan()
      if (request === undefined) return
      try {
        await ofSource(source.ask(request), this.#options.signal)
      } catch (error) {
        if (!source.unanswered.includes(request)) this.#modules.walk.failed(request.wants)
        throw error
      }
    }
  }

  async #plan(): Promise<PlannedRequest<WalkWant> | undefined> {
    const { walk } = this.#modules
    const builder = new RequestBuilder<WalkWant>()
    while (!builder.isFull) {
      const want = await walk.next(this.#options.signal)
      if (want === undefined) break
      if (!builder.add(want)) {
        walk.putBack(want)
        break
      }
    }
    return builder.isEmpty ? undefined : builder.build()
  }

  async #next(source: SourceStream<WalkWant>): Promise<SourceAnswer<WalkWant>> {
    const asked = source.unanswered[0]
    try {
      return await ofSource(source.next(), this.#options.signal)
    } catch (error) {
      // A refused request is no longer among the unanswered ones.
      if (asked !== undefined && source.unanswered[0] !== asked) this.#modules.walk.failed(asked.wants)
      throw error
    }
  }

  /** Looks into nodes and pages, and has the blocks written. Does not wait for that. */
  #accept({ request, blocks, buffer, wireBytes }: SourceAnswer<WalkWant>): void {
    const { store, walk, onAnswer } = this.#modules
    const { signal } = this.#options
    try {
      for (const [i, block] of blocks.entries()) useBlock(request.wants[i]!, block)
    } catch (error) {
      walk.failed(request.wants)
      throw error
    }
    onAnswer(wireBytes)
    const write = async (): Promise<void> => {
      try {
        await store.writeBlocks(blocks, signal)
        this.#buffers.give(buffer)
        await walk.written(request.wants, signal)
      } catch (thrown) {
        walk.failed(request.wants)
        this.#fail(thrown)
      } finally {
        this.#unwrittenBytes -= wireBytes
      }
    }
    this.#unwrittenBytes += wireBytes
    const writing: Promise<void> = write().finally(() => this.#writes.delete(writing))
    this.#writes.add(writing)
  }

  /** A write failed: wrong bytes are the source's fault, all else is not. Ends a wait for the source's next answer. */
  #fail(thrown: unknown): void {
    if (this.#hasFailed) return
    const error = toCatalogError(thrown)
    this.#hasFailed = true
    this.#failure = error.code === 'BYTES_WRONG' ? new SourceFailure(error) : thrown
    this.#source?.abort(error)
  }

  #check(): void {
    if (this.#hasFailed) throw this.#failure
  }

  async #allWritten(): Promise<void> {
    while (this.#writes.size > 0) await Promise.all(this.#writes)
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

/** Marks failures of a source as such; aborts stay what they are. */
async function ofSource<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  try {
    return await work
  } catch (error) {
    signal.throwIfAborted()
    throw new SourceFailure(toCatalogError(error))
  }
}
