import type { Registry, ReleaseRecord } from '../../library/index.ts'
import type { HavingLibrary, LibrarySets } from '../../sync/index.ts'
import type { ReleaseAccessName } from '../schemas.ts'
import { formatAddress } from './library-address.ts'
import { peerOf } from './writer-key.ts'

/** From the smallest audience to the largest. Of a closed library of another node this one does not know more than that. */
const WIDENING: readonly ReleaseAccessName[] = ['private', 'closed', 'restricted', 'friends', 'public']

export interface ReleaseAccessModules {
  registry: Pick<Registry, 'isClosed'>
  sets: Pick<LibrarySets, 'access'>
}

/** Whom releases are for, by the libraries that have them. */
export class ReleaseAccess {
  readonly #modules: ReleaseAccessModules

  constructor(modules: ReleaseAccessModules) {
    this.#modules = modules
  }

  /** The widest of them. What is public came so, or was, whatever libraries have it now. */
  async of(record: ReleaseRecord): Promise<ReleaseAccessName> {
    const { registry, sets } = this.#modules
    return registry.isClosed(record) ? widest(await sets.access.having(record)) : 'public'
  }

  /** Addresses of the libraries that have a release, those of this node first. */
  async libraries(record: ReleaseRecord): Promise<string[]> {
    const having = await this.#modules.sets.access.having(record)
    return having.map(({ writer, name }) => formatAddress({ writer: peerOf(writer), name }))
  }
}

function widest(libraries: readonly HavingLibrary[]): ReleaseAccessName {
  const places = libraries.map(({ access }) => WIDENING.indexOf(access))
  return WIDENING[Math.max(0, ...places)]!
}
