/** Nodes that say under the key of a library that they have it: found in the DHT, and dialled. Whether they have it, a session shows. */
import { peerIdFromString } from '@libp2p/peer-id'
import { type Logger, SECOND_MS, Semaphore, timeoutSignal, toCatalogError } from '../../base/index.ts'
import { HOME_LIBRARY } from '../../library/index.ts'
import type { LibraryAccess } from '../../sync/index.ts'
import type { LibraryKeys } from './library-keys.ts'
import type { Network } from './network.ts'
import { nodeKeyOf } from './writer-key.ts'

/** Holders that one search takes: a fetch draws from eight at once. */
const MAX_HOLDERS = 16
/** One search under a key. */
const SEARCH_MS = 10 * SECOND_MS
/** Nodes dialled at once, and how long each may take. */
const MAX_DIALS = 4
const DIAL_MS = 5 * SECOND_MS
/** Searches for libraries whose writers are away, at once: many may be, when this node is what is cut off. */
const MAX_SEARCHES = 2
/** Holders of one library that are dialled after a search. */
const MAX_DIALLED = 4

export interface SearchModules {
  network: Pick<Network, 'libraryHolders' | 'dial'>
  logger: Logger
}

/** Throws the signal's reason only. */
export async function searchHolders(
  { network, logger }: SearchModules,
  key: Uint8Array,
  signal: AbortSignal
): Promise<string[]> {
  const holders: string[] = []
  try {
    const ended = AbortSignal.any([signal, timeoutSignal(SEARCH_MS)])
    for await (const { peerId } of network.libraryHolders(key, ended))
      if (holders.push(peerId) >= MAX_HOLDERS) break
  } catch (thrown) {
    signal.throwIfAborted()
    logger.debug({ code: toCatalogError(thrown).code }, 'no more holders of a library were found')
  }
  return holders
}

/** Those who could be reached. Throws the signal's reason only. */
export async function dialEach(
  { network, logger }: SearchModules,
  peerIds: readonly string[],
  signal: AbortSignal
): Promise<string[]> {
  const places = new Semaphore({
    name: 'dials of holders',
    maxActive: MAX_DIALS,
    maxWaiting: peerIds.length
  })
  const reached = await Promise.all(
    peerIds.map(async peerId => {
      try {
        const dial = (): Promise<string> =>
          network.dial(peerId, AbortSignal.any([signal, timeoutSignal(DIAL_MS)]))
        return [await places.run(dial, signal)]
      } catch (thrown) {
        signal.throwIfAborted()
        logger.debug({ peerId, code: toCatalogError(thrown).code }, 'a holder could not be reached')
        return []
      }
    })
  )
  return reached.flat()
}

export interface LibraryHoldersModules extends SearchModules {
  keys: Pick<LibraryKeys, 'of'>
  access: Pick<LibraryAccess, 'admits'>
  /** Uniform in [0, 1). */
  random?: () => number
}

export interface LibraryHoldersOptions {
  /** Libraries that may be looked for at a time: further searches wait for their turn. */
  maxWaiting: number
}

/** Of followed libraries whose writers are away. */
export class LibraryHolders {
  readonly #modules: LibraryHoldersModules
  readonly #turns: Semaphore

  constructor(modules: LibraryHoldersModules, { maxWaiting }: LibraryHoldersOptions) {
    this.#modules = modules
    this.#turns = new Semaphore({ name: 'searches for libraries', maxActive: MAX_SEARCHES, maxWaiting })
  }

  /**
   * Peers that may know of a library and say that they have it, its writer aside; connected when this resolves. Which of many is left to
   * chance, so that who claims first keeps nobody out. Throws the signal's reason, and BUSY.
   */
  find(
    library: Uint8Array,
    { writer, name }: { writer: string; name: string },
    signal: AbortSignal
  ): Promise<string[]> {
    return this.#turns.run(async () => {
      const { keys, random = Math.random } = this.#modules
      const key = await keys.of(library, name)
      if (key === undefined) return []
      const others: Array<{ peerId: string; place: number }> = []
      for (const peerId of await searchHolders(this.#modules, key, signal))
        if (peerId !== writer && (await this.#mayKnow(library, name, peerId)))
          others.push({ peerId, place: random() })
      const chosen = others.sort((a, b) => a.place - b.place).slice(0, MAX_DIALLED)
      return await dialEach(
        this.#modules,
        chosen.map(({ peerId }) => peerId),
        signal
      )
    }, signal)
  }

  /** A home is for everybody, also where nothing of it is here yet. */
  async #mayKnow(library: Uint8Array, name: string, peerId: string): Promise<boolean> {
    const { access } = this.#modules
    return name === HOME_LIBRARY || (await access.admits(library, nodeKeyOf(peerIdFromString(peerId))))
  }
}
