/**
 * Who may know of the closed libraries in a world, and who does. What a writer has signed is remembered by its root, which decides the access
 * list too: so whoever is shown a state of a library must be on the list of that very state, and who never was on any must have
 * nothing of it, and must not be able to tell it from a library that does not exist.
 */
import type { CatalogError } from '../../base/index.ts'
import { type AccessList, HOME_LIBRARY, isAdmitted } from '../../library/index.ts'
import type { FollowOutcome } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Figures } from './figures.ts'
import type { SaidHead } from './heads.ts'
import { teamIdOf } from './libraries.ts'
import { Needles } from './needles.ts'
import type { SimulatedNode } from './node.ts'
import { hex, nameOf, type SetRecord } from './records.ts'
import type { Touched } from './touched.ts'
import { Violation } from './violation.ts'

interface ClosedLibrary {
  readonly id: Uint8Array
  /** Public key of its node. */
  readonly writer: Uint8Array
  /** By root, in the order in which they were signed. */
  readonly lists: Map<string, AccessList>
  /** Public keys of all that were ever on a list, and of its node, in hex. */
  readonly everOn: Set<string>
  /** What was published in it and nowhere else, by recHash. */
  readonly records: Map<string, SetRecord>
}

export interface Asking {
  readonly node: SimulatedNode
  readonly holder: SimulatedNode
  readonly library: Uint8Array
  /** What the clock of the holder was when it was asked. */
  readonly askedMs: number
}

export class Secrets {
  readonly #figures: Figures['closed']
  /** By id. */
  readonly #libraries = new Map<string, ClosedLibrary>()
  /** By recHash: the closed library that a record was published in. */
  readonly #publishedIn = new Map<string, ClosedLibrary>()
  /** By node: its last list on the disk that it has now. */
  readonly #last = new Map<number, AccessList>()
  /** What is answered where there is no such library. */
  #refusal: string | undefined

  constructor(figures: Figures['closed']) {
    this.#figures = figures
  }

  /** Public keys of the nodes that have one, in hex, in the order in which they began. */
  get writers(): string[] {
    return [...this.#libraries.values()].map(({ writer }) => hex(writer))
  }

  /** A node has written to its disk: perhaps it has signed another state. */
  signed(node: SimulatedNode): void {
    const team = node.life?.home.team()
    if (team === undefined) return
    const { publicKey } = node.options.key
    const id = teamIdOf(publicKey)
    const library = this.#libraries.get(hex(id)) ?? {
      id,
      writer: publicKey,
      lists: new Map(),
      everOn: new Set([node.writer]),
      records: new Map()
    }
    this.#libraries.set(hex(id), library)
    const { root, list } = team
    library.lists.set(hex(root), list)
    for (const member of list.members) library.everOn.add(hex(member))
    this.#expectNewSecret(node, list)
    // What its writer has put into home is for everybody.
    for (const [recHash, record] of library.records)
      if (node.life!.home.has(record)) library.records.delete(recHash)
  }

  /** Who has left knows the secret so far. */
  #expectNewSecret({ id }: SimulatedNode, list: AccessList): void {
    const last = this.#last.get(id)
    this.#last.set(id, list)
    const hasLeft = last?.members.some(member => !list.members.some(other => bytesEqual(member, other)))
    if (hasLeft === true && bytesEqual(last!.secret, list.secret))
      throw new Violation(`node ${id} took a node off a list and kept the secret that it knows`)
  }

  /** The disk of a node is another one. */
  restored({ id }: SimulatedNode): void {
    this.#last.delete(id)
  }

  /** A node is about to publish in its closed library what nobody else has. */
  publishes({ writer }: SimulatedNode, record: SetRecord): void {
    const library = this.#of(writer)
    if (library === undefined) return
    library.records.set(hex(record.recHash), record)
    this.#publishedIn.set(hex(record.recHash), library)
  }

  /** What was published in the closed library of a node. */
  recordsOf(writer: string): SetRecord[] {
    return [...(this.#of(writer)?.records.values() ?? [])]
  }

  #of(writer: string): ClosedLibrary | undefined {
    return this.#libraries.get(hex(teamIdOf(Buffer.from(writer, 'hex'))))
  }

  /** A session has shown a state of a library: to one on the list of that state, while it held. */
  shown({ node, holder, library, askedMs }: Asking, { peerRoot }: FollowOutcome): void {
    if (!holder.isHonest) return
    const list = this.#libraries.get(hex(library))?.lists.get(hex(peerRoot))
    if (list === undefined)
      throw new Violation(`node ${holder.id} showed a state of a closed library that nobody has signed`)
    if (!isAdmitted(list, node.options.key.publicKey, askedMs))
      throw new Violation(`node ${holder.id} showed a closed library to node ${node.id}, which it is not for`)
    this.#figures.shown++
  }

  /** A session has ended otherwise: what is not for a node is as good as what is not there. */
  refused({ node, holder }: Asking, error: CatalogError, heardBytes: number): void {
    if (!holder.isHonest || error.details?.remoteCode !== 'NOT_FOUND') return
    this.#figures.refused++
    const refusal = `${error.message} ${JSON.stringify(error.details)} ${heardBytes}`
    this.#refusal ??= refusal
    if (refusal !== this.#refusal)
      throw new Violation(`node ${holder.id} tells node ${node.id} "${refusal}", not "${this.#refusal}"`)
  }

  /** A head has come: its receiver must be on its list, or on one that came after it. */
  told(node: SimulatedNode, from: number, { library, root }: SaidHead): void {
    const lists = [...(this.#libraries.get(hex(library))?.lists ?? [])]
    const at = lists.findIndex(([signed]) => signed === hex(root))
    if (at < 0) return
    const mayKnow = lists
      .slice(at)
      .some(([, list]) => isAdmitted(list, node.options.key.publicKey, list.sequence))
    if (!mayKnow)
      throw new Violation(`node ${from} told node ${node.id} of a closed library that is not for it`)
  }

  /** Who was never on a list has nothing of that library, and nobody has at home what is in another one's closed library only. */
  expectNoLeak(node: SimulatedNode): void {
    const home = node.life?.home
    if (home === undefined) return
    for (const library of this.#libraries.values()) {
      if (node.writer === hex(library.writer)) continue
      this.#expectNothingOf(node, library)
      for (const record of library.records.values())
        if (home.has(record) || (isOutsider(node, library) && home.stores(record))) throw leaked(node, record)
    }
  }

  /** The same of what a batch has touched. */
  expectNoNewLeak(node: SimulatedNode, { libraries, own, stored }: Touched): void {
    for (const id of libraries) {
      const library = this.#libraries.get(id)
      if (library !== undefined) this.#expectNothingOf(node, library)
    }
    if (own.has(HOME_LIBRARY)) this.#expectOthers(node, node.life!.home.recHashes(), () => true)
    this.#expectOthers(node, stored, library => isOutsider(node, library))
  }

  #expectNothingOf(node: SimulatedNode, library: ClosedLibrary): void {
    const { home } = node.life!
    const { id, writer } = library
    if (isOutsider(node, library) && (home.copyOf(id) ?? home.headOf(id, writer)) !== undefined)
      throw new Violation(`node ${node.id} has a closed library that was never for it`)
  }

  /** None of some records, by recHash, is what only such a library of another node has. */
  #expectOthers(
    node: SimulatedNode,
    recHashes: Iterable<string>,
    isSecret: (library: ClosedLibrary) => boolean
  ): void {
    for (const recHash of recHashes) {
      const library = this.#publishedIn.get(recHash)
      const record = library?.records.get(recHash)
      if (record !== undefined && node.writer !== hex(library!.writer) && isSecret(library!))
        throw leaked(node, record)
    }
  }

  /** The same of every row of its disk, whatever that is. */
  expectNoTrace(node: SimulatedNode): void {
    const libraries = [...this.#libraries.values()].filter(library => isOutsider(node, library))
    const secret = libraries.flatMap(({ id, records }) => [
      id,
      ...[...records.values()].map(({ recHash }) => recHash)
    ])
    if (node.disk.mentions(new Needles(secret)))
      throw new Violation(`node ${node.id} has a row about a closed library that was never for it`)
  }
}

const isOutsider = ({ writer }: SimulatedNode, { everOn }: ClosedLibrary): boolean => !everOn.has(writer)

const leaked = ({ id }: SimulatedNode, record: SetRecord): Violation =>
  new Violation(`node ${id} has what is in a closed library only: ${nameOf(record)}`)
