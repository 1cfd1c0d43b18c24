import { type Clock, type Logger, SECOND_MS, timeoutSignal, toCatalogError } from '../../base/index.ts'
import type { ReleaseRecord } from '../../library/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { Network } from './network.ts'

/** A fetch that is over by then needs no more sources; and how often connected peers are looked at afterwards. */
const ROUND_MS = SECOND_MS
/** A peer that did not know the release is asked again after this: it may have begun to fetch it. */
const ASK_AGAIN_MS = 10 * SECOND_MS
/** How often those who announced the name are looked for anew, and how long one such search may take. */
const SEARCH_EVERY_MS = 30 * SECOND_MS
const SEARCH_MS = 10 * SECOND_MS
/** Peers asked in one round, all at once, and the time each has. */
const MAX_ASKED = 8
const ASK_MS = 5 * SECOND_MS
/** Sources found for one fetch: it draws from eight at once. */
const MAX_FOUND = 32

export interface LateSourceModules {
  readonly network: Pick<Network, 'connected' | 'holders' | 'record'>
  readonly topology: Pick<Topology, 'order'>
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Peers that turn out to have a release while it is being fetched: those who announce its name, and connected peers who
 * know its record when they are asked, because they fetched it meanwhile or are fetching it themselves. Goes on until the
 * signal ends it; then throws its reason.
 */
export async function* lateSources(
  modules: LateSourceModules,
  record: ReleaseRecord,
  known: readonly string[],
  signal: AbortSignal
): AsyncGenerator<string, void, undefined> {
  const search = new LateSearch(modules, record, known)
  while (search.found < MAX_FOUND) {
    await modules.clock.wait(ROUND_MS, signal)
    yield* await search.round(signal)
  }
}

class LateSearch {
  readonly #modules: LateSourceModules
  readonly #record: ReleaseRecord
  readonly #found: Set<string>
  /** When each peer that does not have it was asked. */
  readonly #asked = new Map<string, number>()
  #announced: string[] = []
  #searchedMs: number
  readonly #knownCount: number

  constructor(modules: LateSourceModules, record: ReleaseRecord, known: readonly string[]) {
    this.#modules = modules
    this.#record = record
    this.#found = new Set(known)
    this.#knownCount = known.length
    // Those who announced it were looked for just before.
    this.#searchedMs = modules.clock.monotonicMs()
  }

  get found(): number {
    return this.#found.size - this.#knownCount
  }

  /** Peers that were found to have it now. */
  async round(signal: AbortSignal): Promise<string[]> {
    const { network, topology, clock } = this.#modules
    const nowMs = clock.monotonicMs()
    if (nowMs - this.#searchedMs >= SEARCH_EVERY_MS) {
      this.#searchedMs = nowMs
      this.#announced = await this.#search(signal)
    }
    const connected = network.connected()
    this.#forget(connected)
    const askable = [...new Set([...this.#announced, ...connected])]
      .filter(peerId => !this.#found.has(peerId))
      .filter(peerId => nowMs - (this.#asked.get(peerId) ?? Number.NEGATIVE_INFINITY) >= ASK_AGAIN_MS)
    const asked = topology.order(askable).slice(0, MAX_ASKED)
    for (const peerId of asked) this.#asked.set(peerId, nowMs)
    const answers = await Promise.all(asked.map(peerId => this.#knows(peerId, signal)))
    const holders = asked.filter((_, index) => answers[index])
    for (const peerId of holders) this.#found.add(peerId)
    return holders
  }

  /** Peers that have left count as not asked: there are only ever as many as connections and announcements. */
  #forget(connected: readonly string[]): void {
    const here = new Set([...connected, ...this.#announced])
    for (const peerId of this.#asked.keys()) if (!here.has(peerId)) this.#asked.delete(peerId)
  }

  async #search(signal: AbortSignal): Promise<string[]> {
    const { network, logger } = this.#modules
    const { name } = this.#record.release
    const holders: string[] = []
    try {
      const ended = AbortSignal.any([signal, timeoutSignal(SEARCH_MS)])
      for await (const { peerId } of network.holders(name, ended))
        if (holders.push(peerId) >= MAX_FOUND) break
    } catch (thrown) {
      signal.throwIfAborted()
      logger.debug({ name, code: toCatalogError(thrown).code }, 'no more holders were found for a fetch')
    }
    return holders
  }

  /** Never rejects but for an abort: who does not answer does not have it. */
  async #knows(peerId: string, signal: AbortSignal): Promise<boolean> {
    const { network, logger } = this.#modules
    try {
      const ended = AbortSignal.any([signal, timeoutSignal(ASK_MS)])
      return (await network.record(this.#record.id.toString(), peerId, ended)) !== undefined
    } catch (thrown) {
      signal.throwIfAborted()
      logger.debug(
        { peerId, code: toCatalogError(thrown).code },
        'a peer did not say whether it has a release'
      )
      return false
    }
  }
}
