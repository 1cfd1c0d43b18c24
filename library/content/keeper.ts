/**
 * The main thread's part in keeping and collecting: it knows what is being read and fetched, which the worker cannot see.
 * A content that is held here never loses its row, and one whose row is going cannot be held any more.
 */
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock, HOUR_MS, type Logger, toCatalogError } from '../../base/index.ts'
import type { DatabaseReader } from '../database/types.ts'
import type { WorkerPort } from '../worker/client.ts'
import { decodeHeld, heldKey, pinKey, pinPrefix } from './held.ts'
import type { SegmentReads } from './segment-backend.ts'
import type { CollectOutcome, CollectRequest, KeptRelease } from './types.ts'

/** How exactly last uses are written down. */
const USE_STEP_MS = HOUR_MS
/** Uses that wait to be written; beyond it the oldest are written no more. */
const MAX_USES = 10_000

export interface KeeperModules {
  database: DatabaseReader
  worker: WorkerPort
  files: SegmentReads
  clock: Clock
  log: Logger
}

export class ContentKeeper {
  readonly #modules: KeeperModules
  /** Contents that are read, with the number of their readers. */
  readonly #held = new Map<string, number>()
  /** Contents that were held at any time since the plan was asked for, while a collection is under way. */
  #heldSince: Set<string> | undefined
  /** Contents whose rows are on their way out. */
  readonly #going = new Set<string>()
  /** Last uses that are not written yet, and when each content's was last written. */
  readonly #uses = new Map<string, number>()
  readonly #written = new Map<string, number>()

  constructor(modules: KeeperModules) {
    this.#modules = modules
  }

  /**
   * No collection touches the content until the returned function is called. CONTENT_MISSING when it is just being let
   * go of.
   */
  hold(content: CID): () => void {
    const key = content.toString()
    if (this.#going.has(key))
      throw new CatalogError('CONTENT_MISSING', `the content ${key} is just being removed`)
    this.#held.set(key, (this.#held.get(key) ?? 0) + 1)
    this.#heldSince?.add(key)
    this.#use(key)
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      const left = this.#held.get(key)! - 1
      if (left === 0) this.#held.delete(key)
      else this.#held.set(key, left)
    }
  }

  isPinned({ content, ...release }: KeptRelease): boolean {
    return this.#modules.database.get(pinKey(content.bytes, release)) !== undefined
  }

  async pin({ content, ...release }: KeptRelease, signal?: AbortSignal): Promise<void> {
    const done = this.hold(content)
    try {
      const nowMs = this.#modules.clock.now()
      await this.#modules.worker.request('contentPin', { content: content.bytes, release, nowMs }, { signal })
    } finally {
      done()
    }
  }

  async unpin({ content, ...release }: KeptRelease, signal?: AbortSignal): Promise<void> {
    await this.#modules.worker.request('contentUnpin', { content: content.bytes, release }, { signal })
  }

  async collect(request: CollectRequest): Promise<CollectOutcome> {
    const { clock, files, worker } = this.#modules
    const { dryRun, evictBytes, fetching, signal } = request
    await this.writeUses()
    const planRequest = { nowMs: clock.now(), evictBytes }
    const inUse = new Set([...this.#held.keys(), ...fetching.map(content => content.toString())])
    this.#heldSince = inUse
    const plan = await worker.request('collectPlan', planRequest, { signal }).finally(() => {
      this.#heldSince = undefined
    })
    let going = plan.contents.filter(({ content }) => !inUse.has(CID.decode(content).toString()))
    const names = going.map(({ content }) => CID.decode(content).toString())
    try {
      if (!dryRun) {
        for (const name of names) this.#going.add(name)
        const contents = going.map(({ content, usedMs }) => ({ content, usedMs }))
        const gone = await worker.request('contentsLetGo', { contents, isAsked: false }, { signal })
        const hexes = new Set(gone.map(content => Buffer.from(content).toString('hex')))
        going = going.filter(({ content }) => hexes.has(Buffer.from(content).toString('hex')))
      }
      // Those held by now are read under way; the rows of all others stand in the database.
      const leases = [...[...this.#held.keys()].map(key => CID.parse(key)), ...fetching]
      const report = await worker.request(
        'collect',
        {
          leases: leases.map(({ bytes }) => bytes),
          // Only of a dry run: the rows are gone by now, and one that is there again was published meanwhile.
          without: dryRun ? going.map(({ content }) => content) : [],
          dryRun
        },
        { signal }
      )
      for (const segment of report.dropped) files.drop(segment)
      const { pinnedBytes, ownBytes } = plan
      return { ...report, released: going, pinnedBytes, ownBytes }
    } finally {
      for (const name of names) this.#going.delete(name)
    }
  }

  async remove(content: CID, signal?: AbortSignal): Promise<void> {
    const { database, worker } = this.#modules
    const key = content.toString()
    const pins = database.iterate({ prefix: pinPrefix(content.bytes), limit: 1 }, signal)
    for await (const _ of pins) throw new CatalogError('RELEASE_PINNED', `the content ${key} is pinned`)
    // From here to the mark in one turn of the event loop: who holds it is seen, and nobody can from then on.
    const row = database.get(heldKey(content.bytes))
    if (row === undefined) throw new CatalogError('CONTENT_MISSING', `the content ${key} is not kept here`)
    if (this.#held.has(key)) throw new CatalogError('BUSY', `the content ${key} is being read`)
    this.#going.add(key)
    try {
      const contents = [{ content: content.bytes, usedMs: decodeHeld(row) }]
      const gone = await worker.request('contentsLetGo', { contents, isAsked: true }, { signal })
      if (gone.length === 0)
        throw new CatalogError('BUSY', `the content ${key} was used or pinned just now; try again`)
    } finally {
      this.#going.delete(key)
    }
  }

  /** Writes down what was used since the last time. */
  async writeUses(): Promise<void> {
    if (this.#uses.size === 0) return
    const uses = [...this.#uses].map(([key, usedMs]) => ({ content: CID.parse(key).bytes, usedMs }))
    this.#uses.clear()
    try {
      await this.#modules.worker.request('contentsUsed', uses)
    } catch (thrown) {
      this.#modules.log.warn({ err: toCatalogError(thrown) }, 'when contents were used was not written down')
    }
  }

  #use(key: string): void {
    const nowMs = this.#modules.clock.now()
    if (nowMs - (this.#written.get(key) ?? 0) < USE_STEP_MS) return
    remember(this.#written, key, nowMs)
    remember(this.#uses, key, nowMs)
  }
}

function remember(map: Map<string, number>, key: string, value: number): void {
  map.delete(key)
  map.set(key, value)
  const [oldest] = map.keys()
  if (map.size > MAX_USES && oldest !== undefined) map.delete(oldest)
}
