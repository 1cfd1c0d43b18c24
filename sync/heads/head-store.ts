/**
 * The heads that a node knows, in the worker: it signs those of its own libraries, one with every change of their sets and
 * in the same batch, and judges those that come from others. What goes out are the operations to be committed.
 */
import { CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import type { DatabaseReader, SetChange, WriteOperation } from '../../library/index.ts'
import { bytesEqual, type Signer } from '../../trust/index.ts'
import { logChanges } from './change-log.ts'
import { type Head, signHead } from './head.ts'
import { type HeadVerdict, judgeHead } from './judge.ts'
import { isForgotten, type NextHead, nextHead, type OwnHead } from './own.ts'
import {
  evidencePrefix,
  headPrefix,
  putEvidence,
  putHead,
  putOwnHead,
  readHead,
  readOwnHead
} from './rows.ts'

/** Writers of one library whose heads are kept: each is a node that somebody chose to follow. */
const MAX_WRITERS = 256
/** Contradictions of one writer in one library that are kept: one shows what it is worth. */
const MAX_EVIDENCE = 8

export interface HeadStoreModules {
  reader: DatabaseReader
  /** The node's key. */
  signer: Signer
  log: Logger
}

export interface HeadStoreOptions {
  /** Where the home stands: any bytes that a copy of it would not have. */
  place: Uint8Array
}

export interface TakenHead {
  readonly verdict: HeadVerdict | 'forgotten'
  readonly operations: WriteOperation[]
}

/** A library of this node as a head says that it is. */
export interface OwnSet {
  readonly root: Uint8Array
  readonly isClosed: boolean
}

export class HeadStore {
  readonly #modules: HeadStoreModules
  readonly #place: Uint8Array

  constructor(modules: HeadStoreModules, { place }: HeadStoreOptions) {
    this.#modules = modules
    this.#place = place
  }

  /** Plans the next head of a library of one's own, and the row that says what it changed. */
  next(
    library: Uint8Array,
    { changes, nowMs, ...own }: OwnSet & { changes: readonly SetChange[]; nowMs: number }
  ): WriteOperation[] {
    return this.#sign({ library, ...own, nowMs }, changes)
  }

  /**
   * Plans what a verified head of any writer leads to. A `newer` one is kept; a `contradiction` is kept as evidence; one
   * of this node's own key that it does not remember (`forgotten`) makes it begin a new epoch at once, with what its library is
   * now; where it has no such library (`own`) any more there is nothing to sign, nor for a head of another key. LIMIT_EXCEEDED for a
   * writer too many.
   */
  async take(incoming: Head, { own, nowMs }: { own: OwnSet | undefined; nowMs: number }): Promise<TakenHead> {
    const { reader, signer } = this.#modules
    const { library, writer, epoch } = incoming
    const known = readHead(reader, library, writer)
    if (bytesEqual(writer, signer.publicKey)) {
      if (!isForgotten(known, incoming)) return { verdict: 'known', operations: [] }
      const operations =
        own === undefined ? [] : this.#sign({ library, ...own, nowMs, afterEpoch: epoch }, [])
      return { verdict: 'forgotten', operations }
    }
    const verdict = judgeHead(known, incoming, nowMs)
    if (verdict === 'newer') {
      if (known === undefined) await this.#expectRoom(library)
      return { verdict, operations: [putHead(incoming)] }
    }
    if (verdict !== 'contradiction') return { verdict, operations: [] }
    return { verdict, operations: await this.#evidence(known!, incoming) }
  }

  #sign(next: Omit<NextHead, 'last' | 'place'>, changes: readonly SetChange[]): WriteOperation[] {
    const last = this.#last(next.library)
    const head = signHead(nextHead({ ...next, last, place: this.#place }), this.#modules.signer)
    // A set that was built anew may have become another one without any change that is known.
    const isKnown = changes.length > 0 || (last !== undefined && bytesEqual(last.head.root, head.root))
    const logged = logChanges(head.library, head.revision, isKnown ? changes : undefined)
    return [...putOwnHead(head, this.#place), ...logged]
  }

  /** One that cannot be read any more counts as forgotten: it must not keep the library from changing. */
  #last(library: Uint8Array): OwnHead | undefined {
    const { reader, signer, log } = this.#modules
    try {
      return readOwnHead(reader, library, signer.publicKey)
    } catch (err) {
      if (toCatalogError(err).code !== 'CONTENT_CORRUPT') throw err
      log.error({ err }, 'the last head of this node cannot be read; a new epoch begins')
      return undefined
    }
  }

  async #expectRoom(library: Uint8Array): Promise<void> {
    if ((await this.#countBelow(headPrefix(library), MAX_WRITERS)) < MAX_WRITERS) return
    throw new CatalogError('LIMIT_EXCEEDED', `a library has ${MAX_WRITERS} writers at most`)
  }

  async #evidence(known: Head, incoming: Head): Promise<WriteOperation[]> {
    const row = putEvidence({ known, incoming })
    if (this.#modules.reader.get(row.key) !== undefined) return []
    const kept = await this.#countBelow(evidencePrefix(incoming.library, incoming.writer), MAX_EVIDENCE)
    return kept < MAX_EVIDENCE ? [row] : []
  }

  async #countBelow(prefix: Uint8Array, limit: number): Promise<number> {
    let count = 0
    for await (const _ of this.#modules.reader.iterate({ prefix, limit })) count++
    return count
  }
}
