import { Semaphore } from '../../base/index.ts'
import { HOME_LIBRARY, isLibraryName } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import { LibraryCopy, type LibraryCopyModules, type LibraryCopyOptions } from './bundle-copy.ts'
import { type BundleCreateModules, createBundle } from './bundle-create.ts'
import { type BundleHead, type BundleImportModules, importBundle } from './bundle-import.ts'
import type { CopyHere } from './follow-union.ts'
import { idOfAddress, parseAddress } from './library-address.ts'
import type { BundlingService } from './types.ts'

/** Bundles that are made or taken in at once; each holds some megabytes, and snapshots of the database. */
const MAX_BUNDLES = 4

export type BundlingModules = BundleCreateModules &
  Omit<BundleImportModules, 'copying'> &
  LibraryCopyModules & {
    sets: Pick<LibrarySets, 'idOf'>
    /** A bundle has brought the copy of a library, and all that will come of its contents is here. */
    onCopied(library: Uint8Array, copy: CopyHere): void
  }

/** Releases of a library in one file, out and in. */
export class Bundling implements BundlingService {
  readonly #modules: BundlingModules
  readonly #options: LibraryCopyOptions
  readonly #turns = new Semaphore({ name: 'bundles', maxActive: MAX_BUNDLES, maxWaiting: 0 })

  constructor(modules: BundlingModules, options: LibraryCopyOptions) {
    this.#modules = modules
    this.#options = options
  }

  async *create(
    { specs, library = HOME_LIBRARY }: { specs: readonly string[]; library?: string },
    signal: AbortSignal
  ): AsyncGenerator<Uint8Array> {
    const { id, name } = this.#meant(library)
    const release = await this.#turns.acquire(signal)
    try {
      yield* createBundle(this.#modules, { library: id, name, specs }, signal)
    } finally {
      release()
    }
  }

  import(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BundleResult> {
    return this.#turns.run(() => this.#import(source, signal), signal)
  }

  async #import(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<BundleResult> {
    let copy: LibraryCopy | undefined
    const copying = (of: BundleHead): LibraryCopy => {
      copy = new LibraryCopy(this.#modules, this.#options, of)
      return copy
    }
    try {
      return await importBundle({ ...this.#modules, copying }, source, signal)
    } finally {
      // Also where contents failed after it.
      const made = copy?.made
      if (made !== undefined) this.#modules.onCopied(made.library, made.copy)
    }
  }

  /** A name alone is that of a library of this node. */
  #meant(library: string): { id: Uint8Array; name: string } {
    if (isLibraryName(library)) return { id: this.#modules.sets.idOf(library), name: library }
    const address = parseAddress(library)
    return { id: idOfAddress(address), name: address.name }
  }
}
