import { Semaphore } from '../../base/index.ts'
import { HOME_LIBRARY, isLibraryName } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import { type BundleCreateModules, createBundle } from './bundle-create.ts'
import { type BundleImportModules, importBundle } from './bundle-import.ts'
import { idOfAddress, parseAddress } from './library-address.ts'
import type { BundlingService } from './types.ts'

/** Bundles that are made or taken in at once; each holds some megabytes, and snapshots of the database. */
const MAX_BUNDLES = 4

export type BundlingModules = BundleCreateModules & BundleImportModules & { sets: Pick<LibrarySets, 'idOf'> }

/** Releases of a library in one file, out and in. */
export class Bundling implements BundlingService {
  readonly #modules: BundlingModules
  readonly #turns = new Semaphore({ name: 'bundles', maxActive: MAX_BUNDLES, maxWaiting: 0 })

  constructor(modules: BundlingModules) {
    this.#modules = modules
  }

  async *create(
    { specs, library = HOME_LIBRARY }: { specs: readonly string[]; library?: string },
    signal: AbortSignal
  ): AsyncGenerator<Uint8Array> {
    const id = isLibraryName(library) ? this.#modules.sets.idOf(library) : idOfAddress(parseAddress(library))
    const release = await this.#turns.acquire(signal)
    try {
      yield* createBundle(this.#modules, { library: id, specs }, signal)
    } finally {
      release()
    }
  }

  import(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BundleResult> {
    return this.#turns.run(() => importBundle(this.#modules, source, signal), signal)
  }
}
