/** A session that shows a peer a library: one of this node's own, or the copy of one that it follows. It takes no records. */
import { CatalogError } from '../../base/index.ts'
import {
  type DatabaseReader,
  type DatabaseSnapshot,
  readRecordBytes,
  type Slice
} from '../../library/index.ts'
import {
  decodeSyncFrame,
  encodeSyncMessage,
  errorOfStatus,
  type SyncFrame,
  type SyncHello
} from '../../protocols/index.ts'
import type { Head } from '../heads/index.ts'
import {
  awaitSession,
  isComparing,
  isOnlyCompared,
  receive,
  recordFrames,
  replySteps,
  type Session
} from '../reconcile/index.ts'
import type { SketchedRecord } from '../sketch/index.ts'
import type { StoredTree, TreeChange } from '../trie/index.ts'
import { type FollowLimits, MAX_PART_BYTES } from './limits.ts'
import { runSteps } from './run-steps.ts'
import type { SketchOf } from './sketches.ts'
import type { HeadPlace } from './told-changes.ts'
import type { Said, SourceOptions, WorkerSession } from './types.ts'

/** A library as it is shown in one session: all of it of one moment. */
export interface ShownLibrary {
  readonly snapshot: DatabaseSnapshot
  readonly tree: StoredTree
  /** Of this very set. */
  readonly head: Head
  /** What has changed since another head of the same writer; undefined where that is not known (told-changes.ts). */
  changesSince(since: HeadPlace): Promise<TreeChange[] | undefined>
  /** `onRead` is told of the records that are gone through for it. */
  sketch(onRead: (records: number) => void): Promise<SketchOf>
}

export interface SourceModules {
  /** The library of an id as a node may see it, to be closed by the session; throws NOT_FOUND. */
  show(library: Uint8Array, node: Uint8Array): Promise<ShownLibrary>
  random(bytes: number): Uint8Array
  slice: Slice
  limits: FollowLimits
}

export class SourceSession implements WorkerSession {
  readonly #modules: SourceModules
  readonly #options: SourceOptions
  #shown: ShownLibrary | undefined
  #session: Session | undefined
  /** Gone through for sketches and not said yet. */
  #sketchedRecords = 0
  /** What is left to say in this turn. */
  #turn: { frames: Iterator<Spoken>; ended: boolean; isFull: boolean } | undefined

  constructor(modules: SourceModules, options: SourceOptions) {
    this.#modules = modules
    this.#options = options
  }

  async take(frame: SyncFrame): Promise<boolean> {
    const message = decodeSyncFrame(frame)
    // Who gives up before the first word, as its disk or its user would have it, breaks nothing.
    if (message.kind === 'abort') throw errorOfStatus(message.body, 'the other side')
    if (message.kind === 'hello') await this.#open(message.body)
    if (this.#session === undefined)
      throw new CatalogError('PROTOCOL_VIOLATION', `a session that begins with ${message.kind}`)
    if (message.kind === 'records')
      throw new CatalogError('PROTOCOL_VIOLATION', 'records for a library that only its writer changes')
    const { session, hasTurn } = receive(this.#session, message, frame.sizeBytes)
    this.#session = session
    return hasTurn
  }

  async say(): Promise<Said> {
    this.#turn ??= await this.#reply()
    const { frames, ended, isFull } = this.#turn
    const part: Uint8Array[] = []
    const sketchedRecords = this.#sketchedRecords
    this.#sketchedRecords = 0
    let records = 0
    for (let bytes = 0; bytes < MAX_PART_BYTES; ) {
      const next = frames.next()
      if (next.done === true) {
        this.#turn = undefined
        return {
          frames: part,
          more: false,
          records,
          isFull,
          sketchedRecords,
          ...(ended ? { ended: {} } : {})
        }
      }
      part.push(next.value.frame)
      records += next.value.records
      bytes += next.value.frame.byteLength
    }
    return { frames: part, more: true, records, isFull, sketchedRecords }
  }

  async close(): Promise<void> {
    await this.#shown?.snapshot.close()
    this.#shown = undefined
  }

  async #open(hello: SyncHello): Promise<void> {
    if (this.#shown !== undefined) throw new CatalogError('PROTOCOL_VIOLATION', 'a second hello')
    const { show, random } = this.#modules
    const { library, root, epoch, revision } = hello
    const { local, remote, node } = this.#options
    const shown = await show(library, node)
    this.#shown = shown
    const isEqual = Buffer.compare(root, shown.tree.root) === 0
    const asksChanges = !isEqual && epoch !== undefined
    const changes = asksChanges ? await shown.changesSince({ epoch, revision }) : undefined
    // A peer that has it all already, or can be told what has changed, costs no sketch.
    const sketch = isEqual || changes !== undefined ? noSketch : await this.#sketch(shown, hello)
    const options = { library, initiator: remote, responder: local, sketch, random }
    this.#session = awaitSession(shown.tree, {
      ...options,
      revision: shown.head.revision,
      ...(changes === undefined ? {} : { changes })
    })
  }

  /** None is made for a peer that must wait anyhow. */
  async #sketch({ tree, sketch }: ShownLibrary, hello: SyncHello): Promise<SketchOf> {
    const { compareInMs, sketchInMs } = this.#options
    if (isOnlyCompared(hello)) {
      if (this.#isLarge(tree) && compareInMs > 0) throw tooEarly(compareInMs)
      return noSketch
    }
    if (sketchInMs > 0) throw busy('this peer has had its share of sketches', sketchInMs)
    return await sketch(records => {
      this.#sketchedRecords += records
    })
  }

  #isLarge({ top }: StoredTree): boolean {
    return (top?.count ?? 0) > this.#modules.limits.freeComparison
  }

  async #reply(): Promise<{ frames: Iterator<Spoken>; ended: boolean; isFull: boolean }> {
    const { tree, head, snapshot } = this.#shown!
    const before = this.#session!
    const step = await runSteps(replySteps(before, tree), this.#modules.slice)
    this.#session = step.session
    const isFull = this.#isLarge(tree) && isComparing(step.session)
    const { compareInMs } = this.#options
    if (isFull && !isComparing(before) && compareInMs > 0) throw tooEarly(compareInMs)
    const first = before.phase.kind === 'waiting' ? [headFrame(head)] : []
    return { frames: spoken(first, snapshot, step), ended: step.isEqual, isFull }
  }
}

const busy = (why: string, retryAfterMs: number): CatalogError =>
  new CatalogError('BUSY', why, { details: { retryAfterMs } })

const tooEarly = (compareInMs: number): CatalogError =>
  busy('large libraries are compared with one peer once a minute', compareInMs)

interface Spoken {
  readonly frame: Uint8Array
  readonly records: number
}

const headFrame = ({ library, bytes }: Head): Uint8Array =>
  encodeSyncMessage({ kind: 'head', body: { library, head: bytes } })

function* spoken(
  first: readonly Uint8Array[],
  reader: DatabaseReader,
  { records, frames }: { records: Iterable<SketchedRecord>; frames: readonly Uint8Array[] }
): Generator<Spoken> {
  for (const frame of first) yield { frame, records: 0 }
  const counted = { records: 0 }
  for (const frame of recordFrames(bytesOf(reader, records, counted))) {
    yield { frame, records: counted.records }
    counted.records = 0
  }
  for (const frame of frames) yield { frame, records: 0 }
}

function* bytesOf(
  reader: DatabaseReader,
  records: Iterable<SketchedRecord>,
  counted: { records: number }
): Generator<Uint8Array> {
  for (const { recHash } of records) {
    const bytes = readRecordBytes(reader, recHash)
    if (bytes === undefined) throw new CatalogError('CONTENT_CORRUPT', 'a record of a library is not stored')
    counted.records++
    yield bytes
  }
}

const noSketch: SketchOf = () => {
  throw new CatalogError('INTERNAL', 'a sketch of a set that needs none')
}
