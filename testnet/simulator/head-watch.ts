import type { CatalogError } from '../../base/index.ts'
import { isTimely } from '../../library/index.ts'
import type { HeadVerdict } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { count, type Figures } from './figures.ts'
import { nameOfBytes, type SaidHead } from './heads.ts'
import type { SimulatedNode } from './node.ts'
import { hex } from './records.ts'
import { Violation } from './violation.ts'

interface Place {
  readonly epoch: number
  readonly revision: number
}

export interface HeadWatchModules {
  figures: Figures
  nodes: () => readonly SimulatedNode[]
  note: (line: string) => void
}

/** Remembers which heads were signed and how far each node had come with each writer: none goes back, and none is made up. */
export class HeadWatch {
  readonly #modules: HeadWatchModules
  /** By node, then by library and writer: the newest head of it that the node knew. */
  readonly #heads = new Map<number, Map<string, Place>>()
  /** Heads that honest nodes have signed, by name. */
  readonly #signed = new Set<string>()
  /** Nodes that were set back without a sign of it: they may contradict themselves. */
  readonly #rolledBack = new Set<string>()

  constructor(modules: HeadWatchModules) {
    this.#modules = modules
  }

  /** Whether some honest node may tell two stories. */
  get hasRolledBack(): boolean {
    return this.#rolledBack.size > 0
  }

  restored(node: SimulatedNode, { isNoticed }: { isNoticed: boolean }): void {
    this.#heads.delete(node.id)
    if (!isNoticed) this.#rolledBack.add(node.writer)
  }

  signed(node: SimulatedNode, head: SaidHead): void {
    const name = nameOfBytes(head.bytes)
    if (this.#signed.has(name)) return
    this.#signed.add(name)
    this.#modules.figures.heads.signed++
    this.expectForward(node, head)
  }

  heard(node: SimulatedNode, head: SaidHead, verdict: HeadVerdict | 'forgotten'): void {
    const { figures, nodes, note } = this.#modules
    count(figures.heads.taken, verdict)
    if (!node.isHonest) return
    const stored = node.life?.home.headOf(head.library, head.writer)
    if (verdict === 'known') {
      expectKnown(node, head, stored)
      return
    }
    const writer = hex(head.writer)
    note(`node ${node.id} takes head ${head.epoch}.${head.revision} of ${writer.slice(0, 6)}: ${verdict}`)
    const isHonest = nodes().some(node => node.isHonest && node.writer === writer)
    if (isHonest && verdict !== 'older' && !this.#signed.has(nameOfBytes(head.bytes)))
      throw new Violation(`node ${node.id} took a head that ${writer.slice(0, 6)} has never signed`)
    if (isHonest && verdict === 'contradiction' && !this.#rolledBack.has(writer))
      throw new Violation(`node ${node.id} accuses ${writer.slice(0, 6)}, which is honest`)
    if (stored !== undefined) this.expectForward(node, stored)
    if (verdict === 'newer' && !isTimely(head.time, node.now()))
      throw new Violation(`node ${node.id} took a head that is dated ahead`)
    if (verdict === 'newer' && stored?.revision !== head.revision)
      throw new Violation(`node ${node.id} did not keep a head that it called newer`)
  }

  expectForward(
    { id }: SimulatedNode,
    { library, writer, epoch, revision }: Omit<SaidHead, 'bytes'>,
    key = hex(library) + hex(writer)
  ): void {
    const known = this.#heads.get(id) ?? new Map<string, Place>()
    this.#heads.set(id, known)
    const before = known.get(key)
    if (
      before !== undefined &&
      (epoch < before.epoch || (epoch === before.epoch && revision < before.revision))
    )
      throw new Violation(
        `node ${id} went back from head ${before.epoch}.${before.revision} of ${hex(writer).slice(0, 6)} to ${epoch}.${revision}`
      )
    known.set(key, { epoch, revision })
  }

  /** `isHonest`: who sent it. */
  refused(node: SimulatedNode, from: { id: number; isHonest: boolean }, error: CatalogError): void {
    const { figures, note } = this.#modules
    figures.heads.refused++
    note(`node ${node.id} refuses a head that ${from.id} sent: ${error.code}`)
    if (from.isHonest) throw new Violation(`node ${from.id} passed on a head that is none: ${error.code}`)
  }
}

/** Two roots for one revision are no old news. */
function expectKnown({ id }: SimulatedNode, head: SaidHead, stored: SaidHead | undefined): void {
  const isSame = stored?.epoch === head.epoch && stored.revision === head.revision
  if (isSame && !bytesEqual(stored.root, head.root))
    throw new Violation(`node ${id} calls a head known that contradicts the one it knows`)
}
