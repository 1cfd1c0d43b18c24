import { type NodeSource, type TreeChange, type TreeView, updateSteps } from '../trie/index.ts'

/**
 * A tree with changes that nobody has written: its root can be known before anything is stored. Views that were given out stay
 * good while it changes, since its nodes are found by their hashes.
 */
export class Overlay {
  readonly #nodes = new Map<string, Uint8Array>()
  readonly #source: NodeSource
  #view: TreeView

  constructor(base: TreeView) {
    this.#source = {
      get: (path, hash) => this.#nodes.get(keyOf(hash)) ?? base.nodes.get(path, hash)
    }
    this.#view = { top: base.top, nodes: this.#source }
  }

  /** The tree as it is now. */
  get view(): TreeView {
    return this.#view
  }

  /** Makes changes, in steps of one bucket. */
  *apply(changes: readonly TreeChange[]): Generator<void, void> {
    const { top, changed } = yield* updateSteps(this.#view, changes)
    for (const node of changed.values()) if (node !== undefined) this.#nodes.set(keyOf(node.hash), node.bytes)
    this.#view = { top, nodes: this.#source }
  }
}

const keyOf = (hash: Uint8Array): string => Buffer.from(hash).toString('latin1')
