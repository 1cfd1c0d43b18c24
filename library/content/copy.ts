/**
 * Copies a content into another store, block by block as they stand at rest.
 *
 * The content is walked as its manifest says: nodes and pages, then nodes and chunks of each file. A block that the other store
 * has is passed over; the others are read in batches, verified here, and written there, where the worker hashes each against its
 * id before it counts. While one batch is written the next is read. Only when all of it is there is the content marked
 * complete, by a walk of the other store over what it holds by then. So two copies of one content cost what one does, and a copy that
 * was cut off goes on where it was.
 */
import type { CID } from 'multiformats/cid'
import { MIB } from '../../base/index.ts'
import { KnownNodes } from './check.ts'
import type { ContentStore, CopyOptions, CopyReport, CopyTarget } from './content-store.ts'
import { manifestEntries } from './manifest-reader.ts'
import type { BlockSource } from './reader.ts'
import { MAX_NODE_BYTES } from './tree.ts'
import { fileChunks } from './tree-reader.ts'
import { Turns } from './turns.ts'
import type { BlockId, ContentSummary, Receive } from './types.ts'

/** Raw bytes and blocks read at once, as for an answer to a peer; two such batches are in memory. */
const BATCH_BYTES = MIB
const BATCH_BLOCKS = 1024
/**
 * What is written is synced so often, so that a store which is full is noticed, and one that moves its segments elsewhere can be
 * given time to: half a segment.
 */
export const COPY_FLUSH_BYTES = 32 * MIB

export interface CopyModules {
  source: BlockSource & Pick<ContentStore, 'readStoredMany'>
  target: CopyTarget
}

/** `summary` is that of the content, which is complete in the source. */
export async function copyContent(
  modules: CopyModules,
  { content, summary }: { content: CID; summary: ContentSummary },
  options: CopyOptions
): Promise<CopyReport> {
  const { target } = modules
  if (target.localState(content) === 'complete') return { copiedBytes: 0, reusedBytes: summary.sizeBytes }
  const release = target.hold(content)
  const copy = new BlockCopy(modules, options)
  try {
    await copy.walk(content)
    await copy.complete(content, summary)
    await copy.end()
    return copy.report
  } catch (thrown) {
    // Commits what has come, for the next try; what failed first is what is told.
    await Promise.allSettled([copy.end()])
    throw thrown
  } finally {
    release()
  }
}

class BlockCopy {
  readonly report: CopyReport = { copiedBytes: 0, reusedBytes: 0 }
  readonly #modules: CopyModules
  readonly #options: CopyOptions
  readonly #receive: Receive
  readonly #turns = new Turns()
  #batch: BlockId[] = []
  #batchBytes = 0
  #unflushedBytes = 0
  /** The batch before; what it failed with is told when it is awaited. */
  #writing: Promise<void> = Promise.resolve()

  constructor(modules: CopyModules, options: CopyOptions) {
    this.#modules = modules
    this.#options = options
    this.#receive = modules.target.beginReceive()
  }

  async walk(content: CID): Promise<void> {
    const { source } = this.#modules
    const { signal } = this.#options
    const known = new KnownNodes()
    const found: BlockId[] = []
    const onNode = (id: BlockId): boolean => {
      const isNew = known.add(id)
      if (isNew) found.push(id)
      return isNew
    }
    for await (const entry of manifestEntries(source, content, signal, onNode)) {
      if (entry.kind === 'file')
        for await (const chunk of fileChunks(source, entry.root, entry.sizeBytes, signal, onNode)) {
          await this.#addNodes(found)
          if (await this.#add(chunk.id, chunk.lengthBytes)) continue
          this.report.reusedBytes += chunk.lengthBytes
        }
      await this.#addNodes(found)
    }
    // Of a content without entries, and the nodes of a last file that came before.
    await this.#addNodes(found)
    if (this.#batch.length > 0) await this.#send()
    await this.#writing
  }

  async complete(content: CID, summary: ContentSummary): Promise<void> {
    const { signal } = this.#options
    await this.#receive.markComplete(content, summary, { signal })
  }

  /** Once, however the copy went. */
  async end(): Promise<void> {
    await Promise.allSettled([this.#writing])
    await this.#receive.end()
  }

  async #addNodes(found: BlockId[]): Promise<void> {
    for (const id of found.splice(0)) await this.#add(id, MAX_NODE_BYTES)
  }

  /** False when the target has it. */
  async #add(id: BlockId, sizeBytes: number): Promise<boolean> {
    if (this.#turns.isOver) await this.#turns.pass()
    if (this.#modules.target.hasBlock(id)) return false
    this.#batch.push(id)
    this.#batchBytes += sizeBytes
    if (this.#batchBytes >= BATCH_BYTES || this.#batch.length >= BATCH_BLOCKS) await this.#send()
    return true
  }

  async #send(): Promise<void> {
    const { signal } = this.#options
    const ids = this.#batch
    this.#batch = []
    this.#batchBytes = 0
    const blocks = await this.#modules.source.readStoredMany(
      ids,
      sizeBytes => new Uint8Array(sizeBytes),
      signal
    )
    // Before they are written: their memory goes to the worker.
    for (const { rawLengthBytes, bytes } of blocks) {
      this.report.copiedBytes += rawLengthBytes
      this.#unflushedBytes += bytes.byteLength
    }
    await this.#writing
    this.#writing = this.#receive.writeBlocks(
      blocks.map((block, i) => ({ ...block, id: ids[i]! })),
      signal
    )
    this.#writing.catch(() => {}) // it is awaited before the next
    if (this.#unflushedBytes >= COPY_FLUSH_BYTES) await this.#flush()
  }

  async #flush(): Promise<void> {
    const { signal, onFlushed } = this.#options
    this.#unflushedBytes = 0
    await this.#writing
    await this.#receive.flush(signal)
    await onFlushed?.(this.report)
  }
}
