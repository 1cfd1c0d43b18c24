import type { CID } from 'multiformats/cid'
import type { Counter, Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, type Clock, partMetrics } from '../../base/index.ts'
import { isPublicKey } from '../../trust/index.ts'
import { ownerPinKey } from '../database/keys.ts'
import type { Database } from '../database/types.ts'
import { checkName } from '../names.ts'
import {
  decodeVerifiedRelease,
  decodeVerifiedStatement,
  RECORD_LIMITS,
  type ReleaseIdentity,
  type ReleaseRecord,
  recordHash,
  releaseKey,
  type StatementRecord,
  type StatusRecord
} from '../records/index.ts'
import { HOME_LIBRARY, isFollowedLibrary } from './library-names.ts'
import { isReleaseRecord } from './member.ts'
import { librariesOf } from './membership.ts'
import { entriesNaming } from './naming.ts'
import {
  isPinnedInScope,
  readById,
  readEntries,
  readLibraryState,
  readOwnerPin,
  readPage,
  readRecord,
  readVersions
} from './read.ts'
import { readContested } from './read-contested.ts'
import { readStatements, readStatus } from './read-statements.ts'
import { readStoredById, readStoredPage } from './stored-page.ts'
import type {
  AddOutcome,
  AddResult,
  ContestedPage,
  IndexEntry,
  ListOptions,
  PublishOptions,
  Registry,
  RegistryChange,
  RegistryWriter,
  ReleasePage,
  StatementResult,
  StoredPage,
  StoredQuery,
  StoredRecord
} from './types.ts'
import { isClosedRecord, isOpenRecord } from './visibility.ts'

export interface RegistryModules {
  database: Database
  /** The worker, which makes and commits plans (plan.ts) one after the other. */
  writer: RegistryWriter
  clock: Clock
  metrics?: MetricsRegistry
}

/** The main thread's view of the registry: reads LevelDB itself, sends records to the worker. Holds no state. */
export function createRegistry(modules: RegistryModules): Registry {
  return new LevelRegistry(modules)
}

class LevelRegistry implements Registry {
  readonly #database: Database
  readonly #writer: RegistryWriter
  readonly #clock: Clock
  readonly #changes: Counter<'operation'>

  constructor({ database, writer, clock, metrics }: RegistryModules) {
    this.#database = database
    this.#writer = writer
    this.#clock = clock
    const own = partMetrics(metrics, 'registry')
    own.gauge('home_releases', () => this.count())
    this.#changes = own.counter('added_records_total')
  }

  get(id: CID): ReleaseRecord | undefined {
    return readById(this.#database, id)
  }

  versions(name: string, signal?: AbortSignal): Promise<ReleaseRecord[]> {
    return readVersions(this.#database, name, signal)
  }

  entries(
    of: { name: string; version?: string; owner?: Uint8Array },
    signal?: AbortSignal
  ): AsyncIterable<IndexEntry> {
    return readEntries(this.#database, of, signal)
  }

  read(entry: IndexEntry): ReleaseRecord | undefined {
    return readRecord(this.#database, entry.recHash)
  }

  list(options: ListOptions): Promise<ReleasePage> {
    return readPage(this.#database, options)
  }

  naming(contents: readonly CID[], signal?: AbortSignal): AsyncIterable<IndexEntry> {
    return entriesNaming(
      this.#database,
      contents.map(({ bytes }) => bytes),
      { signal }
    )
  }

  async isOwn(recordBytes: Uint8Array): Promise<boolean> {
    return (await this.librariesOf(recordBytes)).some(libraryId => !isFollowedLibrary(libraryId))
  }

  async librariesOf(recordBytes: Uint8Array): Promise<string[]> {
    return await librariesOf(this.#database, recordHash(recordBytes))
  }

  isClosed(record: Pick<ReleaseRecord, 'id'>): boolean {
    return isClosedRecord(this.#database, record)
  }

  isOpen(record: Pick<ReleaseRecord, 'id'>): boolean {
    return isOpenRecord(this.#database, record)
  }

  stored(id: CID, signal?: AbortSignal): Promise<StoredRecord | undefined> {
    return readStoredById(this.#database, id, signal)
  }

  storedPage(query: StoredQuery, signal?: AbortSignal): Promise<StoredPage> {
    return readStoredPage(this.#database, query, signal)
  }

  status(release: ReleaseIdentity): StatusRecord | undefined {
    return readStatus(this.#database, release)
  }

  statements(
    release: ReleaseIdentity,
    signal?: AbortSignal,
    signers: readonly Uint8Array[] = []
  ): Promise<StatementRecord[]> {
    return readStatements(this.#database, releaseKey(release), signers, signal)
  }

  contested(query: { limit: number; after?: string }, signal?: AbortSignal): Promise<ContestedPage> {
    return readContested(this.#database, query, signal)
  }

  count(libraryId = HOME_LIBRARY): number {
    return readLibraryState(this.#database, libraryId).members
  }

  revision(): number {
    return readLibraryState(this.#database, HOME_LIBRARY).revision
  }

  publish(recordBytes: Uint8Array, { libraryId, signal }: PublishOptions = {}): Promise<AddResult> {
    return this.#release('publish', recordBytes, signal, libraryId)
  }

  revise(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult> {
    return this.#release('revise', recordBytes, signal)
  }

  add(recordBytes: Uint8Array, signal?: AbortSignal): Promise<AddResult> {
    return this.#release('add', recordBytes, signal)
  }

  publishStatement(recordBytes: Uint8Array, signal?: AbortSignal): Promise<StatementResult> {
    return this.#statement('publishStatement', recordBytes, signal)
  }

  addStatement(recordBytes: Uint8Array, signal?: AbortSignal): Promise<StatementResult> {
    return this.#statement('addStatement', recordBytes, signal)
  }

  async addAll(
    records: ReadonlyArray<ReleaseRecord | StatementRecord>,
    signal?: AbortSignal
  ): Promise<readonly AddOutcome[]> {
    const changes = records.map(record => ({ change: changeOf(record), record: record.bytes }))
    for (const { record } of changes) expectSize(record)
    const request = { records: changes, nowMs: this.#clock.now() }
    const { outcomes, error } = await this.#writer.addAll(request, signal)
    for (const [at, outcome] of outcomes.entries())
      if (outcome === 'added') this.#changes.inc({ operation: changes[at]!.change })
    if (error !== undefined) throw CatalogError.fromJSON(error)
    return outcomes
  }

  async remove(id: CID, signal?: AbortSignal): Promise<void> {
    const record = this.get(id)
    if (record === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `no record ${id} is here`)
    await this.#writer.remove(recordHash(record.bytes), this.#clock.now(), signal)
  }

  async #release(
    change: RegistryChange,
    bytes: Uint8Array,
    signal?: AbortSignal,
    libraryId?: string
  ): Promise<AddResult> {
    const { added, stored } = await this.#write(change, bytes, signal, libraryId)
    return { added, record: decodeVerifiedRelease(stored) }
  }

  async #statement(
    change: RegistryChange,
    bytes: Uint8Array,
    signal?: AbortSignal
  ): Promise<StatementResult> {
    const { added, stored } = await this.#write(change, bytes, signal)
    return { added, statement: decodeVerifiedStatement(stored) }
  }

  async #write(
    operation: RegistryChange,
    bytes: Uint8Array,
    signal?: AbortSignal,
    libraryId = HOME_LIBRARY
  ): ReturnType<RegistryWriter['write']> {
    expectSize(bytes)
    const written = await this.#writer.write(
      { change: operation, record: bytes, libraryId, nowMs: this.#clock.now() },
      signal
    )
    if (written.added) this.#changes.inc({ operation })
    return written
  }

  ownerPin(name: string): Uint8Array | undefined {
    return readOwnerPin(this.#database, name)
  }

  isPinnedInScope(scope: string, owner: Uint8Array, signal?: AbortSignal): Promise<boolean> {
    return isPinnedInScope(this.#database, { scope, owner }, signal)
  }

  async pinOwner(name: string, owner: Uint8Array, signal?: AbortSignal): Promise<void> {
    checkName(name)
    if (!isPublicKey(owner)) throw new CatalogError('KEY_INVALID', 'the owner is not an Ed25519 public key')
    const operation = { type: 'put', key: ownerPinKey(name), value: Uint8Array.from(owner) } as const
    await this.#database.write([operation], { sync: true, ...(signal === undefined ? {} : { signal }) })
  }
}

const changeOf = (record: ReleaseRecord | StatementRecord): 'add' | 'addStatement' =>
  isReleaseRecord(record) ? 'add' : 'addStatement'

/** The worker checks it too; here it saves copying what is too large anyway. */
function expectSize({ byteLength }: Uint8Array): void {
  if (byteLength > RECORD_LIMITS.recordBytes)
    throw new CatalogError('RECORD_TOO_LARGE', `the record has ${byteLength} bytes`)
}
