/**
 * Work that was asked for while nobody could be reached: a small row each in the database, so that it is done when somebody can,
 * whatever becomes of the daemon in between. What is done with a row, and when, is replaying.ts.
 */
import { randomBytes } from 'node:crypto'
import { CatalogError, type Clock, Signpost } from '../../base/index.ts'
import { type Database, KeyFamily, makeKey } from '../../library/index.ts'
import type { FetchRequest, SyncRequest } from './types.ts'

/** What each kind of work is asked with. */
export interface QueueRequests {
  fetch: FetchRequest
  sync: SyncRequest
}
export type QueueKind = keyof QueueRequests
export const QUEUE_KINDS: readonly QueueKind[] = ['fetch', 'sync']

export interface QueuedOperation<K extends QueueKind = QueueKind> {
  readonly id: string
  readonly kind: K
  readonly request: QueueRequests[K]
  /** Milliseconds since the epoch. */
  readonly queuedAt: number
  /** How often it was tried since, and what the last try came to. */
  readonly attempts: number
  readonly lastError?: string
}

/** Operations that wait at most: a person queues tens, a script hundreds. */
export const MAX_QUEUED = 1000
/** A specification, a key, an address. */
const MAX_REQUEST_BYTES = 2048
/** A request, and what happened with it. */
const MAX_ROW_BYTES = 2 * MAX_REQUEST_BYTES
const TIME_DIGITS = 11
const RANDOM_BYTES = 4

export class OperationQueue {
  readonly #database: Database
  readonly #clock: Clock
  readonly #changed = new Signpost()
  #lastMs = 0

  constructor(modules: { database: Database; clock: Clock }) {
    this.#database = modules.database
    this.#clock = modules.clock
  }

  /** Resolves at the next change of what is queued, and when somebody wakes those who wait for one. */
  changed(): Promise<void> {
    return this.#changed.shown()
  }

  wake(): void {
    this.#changed.show()
  }

  /** Durable when it resolves. The same request again is the one that waits already. LIMIT_EXCEEDED. */
  async add<K extends QueueKind>(
    kind: K,
    request: QueueRequests[K],
    signal?: AbortSignal
  ): Promise<QueuedOperation> {
    const text = JSON.stringify(request)
    if (Buffer.byteLength(text) > MAX_REQUEST_BYTES)
      throw new CatalogError('LIMIT_EXCEEDED', `a request that waits has at most ${MAX_REQUEST_BYTES} bytes`)
    const waiting = await this.list(signal)
    const same = waiting.find(other => other.kind === kind && JSON.stringify(other.request) === text)
    if (same !== undefined) return same
    if (waiting.length >= MAX_QUEUED)
      throw new CatalogError('LIMIT_EXCEEDED', `${MAX_QUEUED} operations wait already`, {
        hint: '`catalog queue list` shows them, `catalog queue remove` lets go of one'
      })
    const queuedAt = this.#clock.now()
    // In the order in which they came, also those of one millisecond.
    this.#lastMs = Math.max(queuedAt, this.#lastMs + 1)
    const id =
      this.#lastMs.toString(16).padStart(TIME_DIGITS, '0') + randomBytes(RANDOM_BYTES).toString('hex')
    const operation: QueuedOperation = { id, kind, request, queuedAt, attempts: 0 }
    await this.#put(operation, signal)
    return operation
  }

  /** The oldest first. A row that cannot be read is dropped. */
  async list(signal?: AbortSignal): Promise<QueuedOperation[]> {
    const operations: QueuedOperation[] = []
    const prefix = makeKey(KeyFamily.Queue)
    for await (const [key, value] of this.#database.iterate({ prefix, limit: MAX_QUEUED }, signal)) {
      const operation = readRow(value)
      if (operation === undefined) await this.#database.write([{ type: 'del', key }], { sync: false })
      else operations.push(operation)
    }
    return operations
  }

  /** As it stands at this moment; undefined when it waits no more. */
  get(id: string): QueuedOperation | undefined {
    const value = this.#database.get(keyOf(id))
    return value === undefined ? undefined : readRow(value)
  }

  /** Notes a try that failed; nothing when it was taken out meanwhile. */
  async failed({ id }: QueuedOperation, code: string): Promise<void> {
    const operation = this.get(id)
    if (operation === undefined) return
    await this.#put({ ...operation, attempts: operation.attempts + 1, lastError: code })
  }

  /** False when it does not wait. */
  async remove(id: string): Promise<boolean> {
    const key = keyOf(id)
    if (this.#database.get(key) === undefined) return false
    await this.#database.write([{ type: 'del', key }], { sync: true })
    this.#changed.show()
    return true
  }

  async #put(operation: QueuedOperation, signal?: AbortSignal): Promise<void> {
    const value = Buffer.from(JSON.stringify(operation))
    await this.#database.write([{ type: 'put', key: keyOf(operation.id), value }], {
      sync: true,
      ...(signal === undefined ? {} : { signal })
    })
    this.#changed.show()
  }
}

const keyOf = (id: string): Uint8Array => makeKey(KeyFamily.Queue, Buffer.from(id))

function readRow(value: Uint8Array): QueuedOperation | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const row = JSON.parse(Buffer.from(value).toString()) as Partial<QueuedOperation>
    const { id, kind, request, queuedAt, attempts, lastError } = row
    const isWhole =
      typeof id === 'string' &&
      QUEUE_KINDS.some(known => known === kind) &&
      typeof request === 'object' &&
      request !== null &&
      Number.isSafeInteger(queuedAt) &&
      Number.isSafeInteger(attempts)
    if (!isWhole) return undefined
    const operation = { id, kind: kind!, request, queuedAt: queuedAt!, attempts: attempts! }
    return typeof lastError === 'string' ? { ...operation, lastError } : operation
  } catch {
    return undefined
  }
}
