import { HOME_LIBRARY } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { HeadWatch } from './head-watch.ts'
import { homeIdOf, TEAM_LIBRARY, teamIdOf } from './libraries.ts'
import type { SimulatedNode } from './node.ts'
import { hex, type Verifier } from './records.ts'
import type { Secrets } from './secrets.ts'
import type { Touched } from './touched.ts'
import { Violation } from './violation.ts'

export interface CopyWatchModules {
  heads: HeadWatch
  secrets: Secrets
  verifier: Verifier
  nodes: () => readonly SimulatedNode[]
}

/**
 * Sees that every copy is what its head says, that what a library has is stored, and that nobody has what is not for it: after every batch as
 * far as that has touched it, and all of a node at its start, now and then, and at the end.
 */
export class CopyWatch {
  readonly #modules: CopyWatchModules

  constructor(modules: CopyWatchModules) {
    this.#modules = modules
  }

  /** A batch is on the disk of a node. */
  written(node: SimulatedNode, touched: Touched): void {
    const { secrets } = this.#modules
    if (touched.own.has(HOME_LIBRARY) || touched.own.has(TEAM_LIBRARY)) secrets.signed(node)
    secrets.expectNoNewLeak(node, touched)
    if (!node.isHonest) return
    for (const library of touched.libraries) this.#expectCopy(node, Buffer.from(library, 'hex'))
    for (const [recHash, bytes] of touched.erased) this.#expectErased(node, recHash, bytes)
  }

  /** Looks at everything that a node has. */
  look(node: SimulatedNode): void {
    const { secrets, nodes } = this.#modules
    secrets.expectNoLeak(node)
    if (!node.isHonest || node.life === undefined) return
    const writers = nodes().map(({ options }) => options.key.publicKey)
    for (const writer of writers)
      for (const library of [homeIdOf(writer), teamIdOf(writer)]) this.#expectCopy(node, library)
    const lost = node.life.home.unstored()
    if (lost !== undefined) throw erased(node, hex(lost))
  }

  /** A copy is what the head says that it is a copy by, and that does not go back. */
  #expectCopy(node: SimulatedNode, library: Uint8Array): void {
    const { home } = node.life!
    const copy = home.copyOf(library)
    if (copy === undefined) return
    const { head, root } = copy
    if (!bytesEqual(head.root, root))
      throw new Violation(`node ${node.id} has a copy that is not what its head says`)
    this.#modules.heads.expectForward(node, head, `copy of ${hex(library)}`)
    const known = home.headOf(library, head.writer)
    const isSame = known?.epoch === head.epoch && known.revision === head.revision
    if (isSame && !bytesEqual(known.root, head.root))
      throw new Violation(`node ${node.id} has a copy by a head that contradicts the one it knows`)
  }

  /** What has gone from one library stays where another one has it. */
  #expectErased(node: SimulatedNode, recHash: string, bytes: Uint8Array): void {
    const { home } = node.life!
    const record = { trieKey: this.#modules.verifier.keyOf(bytes), recHash: Buffer.from(recHash, 'hex') }
    if (!home.stores(record) && home.holds(record)) throw erased(node, recHash)
  }
}

const erased = ({ id }: SimulatedNode, recHash: string): Violation =>
  new Violation(`node ${id} has erased the record ${recHash.slice(0, 8)}, which a library has still`)
