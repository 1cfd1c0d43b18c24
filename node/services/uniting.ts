/** Has what followed libraries hold join the home library of this node, where it stays. */
import { toCatalogError } from '../../base/index.ts'
import type { ReleaseIdentity } from '../../library/index.ts'
import { type LibrarySets, MAX_JOINED } from '../../sync/index.ts'
import { type AnnouncingModules, announceDue } from './announcing.ts'
import type { Blocking } from './blocking.ts'
import { isFiltered, matcherOf, type ReleaseFilter } from './release-filter.ts'
import type { WorkContext } from './types.ts'

export interface UnitingModules extends AnnouncingModules {
  sets: Pick<LibrarySets, 'joining' | 'join'>
  blocking: Pick<Blocking, 'blockOf'>
}

export interface UnionWish {
  /** Id of the library. */
  readonly library: Uint8Array
  /** Of which releases; all of them when nothing is said. */
  readonly filter?: ReleaseFilter
  /** Says how many would join, and changes nothing. */
  readonly isDryRun?: boolean
}

export class Uniting {
  readonly #modules: UnitingModules

  constructor(modules: UnitingModules) {
    this.#modules = modules
  }

  /** How many records joined, or would. Cut off, what has joined stays. NOT_PERMITTED for a library that is not public. */
  async unite(wish: UnionWish, { signal, progress }: WorkContext): Promise<number> {
    const { sets } = this.#modules
    const { library, isDryRun = false } = wish
    let joined = 0
    for await (const recHashes of this.#parts(wish, signal)) {
      joined += await sets.join({ library, recHashes, isDryRun }, signal)
      progress({ phase: 'joining', itemsDone: joined })
    }
    if (joined > 0 && !isDryRun) await this.#announce(signal)
    return joined
  }

  /** As many as join at once. */
  async *#parts({ library, filter = {} }: UnionWish, signal: AbortSignal): AsyncGenerator<Uint8Array[]> {
    const { sets, blocking } = this.#modules
    const isMeant = isFiltered(filter) ? { isMeant: matcherOf(filter) } : {}
    const isRefused = (release: ReleaseIdentity): boolean => blocking.blockOf(release) !== undefined
    const waiting: Uint8Array[] = []
    for (let after: Uint8Array | undefined; ; ) {
      signal.throwIfAborted()
      const { recHashes, next } = await sets.joining(library, {
        ...isMeant,
        isRefused,
        ...(after === undefined ? {} : { after })
      })
      waiting.push(...recHashes)
      while (waiting.length >= MAX_JOINED) yield waiting.splice(0, MAX_JOINED)
      if (next === undefined) break
      after = next
    }
    if (waiting.length > 0) yield waiting
  }

  /** What could not be announced stays due. */
  async #announce(signal: AbortSignal): Promise<void> {
    try {
      await announceDue(this.#modules, signal)
    } catch (thrown) {
      signal.throwIfAborted()
      this.#modules.logger.warn({ code: toCatalogError(thrown).code }, 'joined, and not announced yet')
    }
  }
}
