/** Lets go of what is here and blocked: contents that only blocked releases name, pinned or not, and their records in this node's own libraries. */
import { CatalogError, type Logger, toCatalogError } from '../../base/index.ts'
import {
  type ContentStore,
  type HeldContent,
  isFollowedLibrary,
  type Registry,
  type ReleaseRecord
} from '../../library/index.ts'
import type { BlockRules } from './block-rules.ts'
import type { Blocking } from './blocking.ts'
import type { Collecting } from './collecting.ts'

/** Contents, or records, that are looked at in one go: the name index is gone through once for each. */
const PAGE = 1000

export interface DroppingModules {
  blocking: Pick<Blocking, 'rules'>
  registry: Pick<Registry, 'naming' | 'read' | 'list' | 'librariesOf' | 'remove'>
  content: Pick<ContentStore, 'list' | 'remove' | 'unpin'>
  collecting: Pick<Collecting, 'changed'>
  logger: Logger
}

export interface Dropped {
  /** Releases that left this node's own libraries. */
  releases: number
  contents: number
  /** Of the contents, as they are outside of the store, where that is known. */
  sizeBytes: number
}

export interface DropOptions {
  /** Those in force unless given. */
  rules?: BlockRules
  /** Says what would go. */
  isDryRun?: boolean
}

export class BlockDropping {
  readonly #modules: DroppingModules

  constructor(modules: DroppingModules) {
    this.#modules = modules
  }

  /**
   * Throws BUSY when something of it is in use: what had gone by then is gone, and the rest goes the next time. Records of libraries that are
   * followed stay in these, as they are what their nodes signed.
   */
  async drop(
    signal: AbortSignal,
    { rules = this.#modules.blocking.rules, isDryRun = false }: DropOptions = {}
  ): Promise<Dropped> {
    const run = new Drop(this.#modules, { rules, isDryRun, signal })
    if (!rules.isEmpty) await run.run()
    return run.dropped
  }
}

class Drop {
  readonly dropped: Dropped = { releases: 0, contents: 0, sizeBytes: 0 }
  readonly #modules: DroppingModules
  readonly #rules: BlockRules
  readonly #isDryRun: boolean
  readonly #signal: AbortSignal
  /** Why a content could not go. */
  #inUse: CatalogError | undefined

  constructor(
    modules: DroppingModules,
    { rules, isDryRun, signal }: Required<DropOptions> & { signal: AbortSignal }
  ) {
    this.#modules = modules
    this.#rules = rules
    this.#isDryRun = isDryRun
    this.#signal = signal
  }

  async run(): Promise<void> {
    // Contents first: without its records nobody could say which these are.
    await this.#dropContents()
    if (this.#inUse === undefined) await this.#dropRecords()
    if (!this.#isDryRun) this.#modules.collecting.changed()
    if (this.#inUse === undefined) return
    throw new CatalogError('BUSY', 'it is blocked, but something of it is in use and stays until it is not', {
      details: { ...this.dropped },
      cause: this.#inUse,
      hint: 'nobody is given anything of it meanwhile; block it once more in a while'
    })
  }

  async #dropContents(): Promise<void> {
    for (let after: HeldContent['content'] | undefined; ; ) {
      const page = await this.#modules.content.list({
        limit: PAGE,
        signal: this.#signal,
        ...(after === undefined ? {} : { after })
      })
      for (const held of await this.#blockedOf(page.contents)) await this.#dropContent(held)
      after = page.contents.at(-1)?.content
      if (!page.hasMore || after === undefined) return
    }
  }

  /** Those of which all releases are blocked that name them. */
  async #blockedOf(page: readonly HeldContent[]): Promise<HeldContent[]> {
    const { registry } = this.#modules
    const isBlocked = new Map<string, boolean>()
    const contents = page.map(({ content }) => content)
    for await (const entry of registry.naming(contents, this.#signal)) {
      const key = entry.content.toString()
      const rule = this.#rules.ruleOf(entry, registry.read(entry)?.id)
      isBlocked.set(key, rule !== undefined && isBlocked.get(key) !== false)
    }
    return page.filter(({ content }) => isBlocked.get(content.toString()) === true)
  }

  async #dropContent({ content: cid, pins, summary }: HeldContent): Promise<void> {
    const { content, logger } = this.#modules
    try {
      if (!this.#isDryRun) {
        for (const pin of pins) await content.unpin({ ...pin, content: cid }, this.#signal)
        await content.remove(cid, this.#signal)
        logger.info({ content: cid.toString() }, 'a content that is blocked was let go of')
      }
    } catch (thrown) {
      this.#signal.throwIfAborted()
      const error = toCatalogError(thrown)
      if (error.code !== 'BUSY') throw thrown
      this.#inUse = error
      return
    }
    this.dropped.contents++
    this.dropped.sizeBytes += summary?.sizeBytes ?? 0
  }

  async #dropRecords(): Promise<void> {
    const { registry } = this.#modules
    for (let after: string | undefined; ; ) {
      const page = await registry.list({
        limit: PAGE,
        signal: this.#signal,
        ...(after === undefined ? {} : { after })
      })
      for (const record of page.releases) await this.#dropRecord(record)
      after = page.next
      if (after === undefined) return
    }
  }

  async #dropRecord({ id, release, bytes }: ReleaseRecord): Promise<void> {
    const { registry } = this.#modules
    if (this.#rules.ruleOf(release, id) === undefined) return
    if ((await registry.librariesOf(bytes)).some(isFollowedLibrary)) return
    if (!this.#isDryRun) await registry.remove(id, this.#signal)
    this.dropped.releases++
  }
}
