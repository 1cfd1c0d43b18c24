/**
 * Under which keys the libraries that are whole here are announced in the DHT, so that those who follow one find each other while its writer is
 * away. Of a public library it is a key of its id, which anybody can compute. Of a closed one it is a key of the secret on its access list:
 * to all who are not on the list it is a random number. A new secret begins with each name that is taken off the list; from then on the key
 * before, which that node knows, is neither announced nor asked for. Home needs none: its writer is found by its own id.
 */
import type { Clock, Logger } from '../../base/index.ts'
import { closedKey, libraryKey } from '../../discovery/index.ts'
import {
  type AccessList,
  HOME_LIBRARY,
  isAdmitted,
  isPublicLibrary,
  PRIVATE_LIBRARY
} from '../../library/index.ts'
import { copyName, type LibrarySets } from '../../sync/index.ts'
import { followedHere } from './followed-here.ts'

/** Keys of one node: a hundred times as many as most follow, and a tenth of what others keep for one. */
const MAX_LIBRARY_KEYS = 10_000

export interface LibraryKeysModules {
  sets: Pick<LibrarySets, 'followed' | 'copyOf' | 'access'>
  clock: Pick<Clock, 'now'>
  logger: Logger
}

export interface LibraryKeysOptions {
  /** Public key of this node. */
  writer: Uint8Array
}

export class LibraryKeys {
  readonly #modules: LibraryKeysModules
  readonly #writer: Uint8Array

  constructor(modules: LibraryKeysModules, { writer }: LibraryKeysOptions) {
    this.#modules = modules
    this.#writer = writer
  }

  /** Of every library that is whole here, of this node or followed. */
  async all(signal: AbortSignal): Promise<Uint8Array[]> {
    const { sets } = this.#modules
    const own = (await sets.access.own(signal)).filter(
      ({ libraryId }) => libraryId !== HOME_LIBRARY && libraryId !== PRIVATE_LIBRARY
    )
    const copies = (await followedHere(this.#modules, signal))
      .filter(({ row }) => row.copy !== 0)
      .map(({ library, row }) => ({ libraryId: copyName(library, row.copy, row), id: library }))
    const keys: Uint8Array[] = []
    for (const { libraryId, id } of [...own, ...copies].slice(0, MAX_LIBRARY_KEYS)) {
      signal.throwIfAborted()
      const key = await this.#keyOf(libraryId, id)
      if (key !== undefined) keys.push(key)
    }
    return keys
  }

  /**
   * Under which one others say that they have a library that is followed. Undefined where nothing of it is here but its name: it may be
   * closed, and whoever is asked for it would hear of it. Of a home that is known.
   */
  async of(library: Uint8Array, name: string): Promise<Uint8Array | undefined> {
    const copy = await this.#modules.sets.copyOf(library)
    if (copy !== undefined) return await this.#keyOf(copy, library)
    return name === HOME_LIBRARY ? libraryKey(library) : undefined
  }

  /** None of a closed one whose list cannot be read, or admits this node no more. */
  async #keyOf(libraryId: string, id: Uint8Array): Promise<Uint8Array | undefined> {
    const { sets, clock } = this.#modules
    if (isPublicLibrary(libraryId)) return libraryKey(id)
    const list = await sets.access.accessOf(libraryId)
    if (list === undefined || !isAdmitted(list, this.#writer, clock.now())) return undefined
    return keyOfList(list)
  }
}

/** The key of the closed library that a list is of. */
export const keyOfList = ({ secret, library }: AccessList): Uint8Array => closedKey(secret, library)
