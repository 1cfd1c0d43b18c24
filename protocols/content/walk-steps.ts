import { CatalogError, GIB } from '../../base/index.ts'
import { type BlockId, type ChunkRef, MANIFEST_FANOUT, type NodeExpectation } from '../../library/index.ts'
import { Part } from './frames.ts'
import type { Position, Want } from './planner.ts'

/** Ten million files of a kilobyte of manifest each hundred: no package comes near. */
const MAX_MANIFEST_BYTES = GIB

/** What is known of the root of the manifest's tree. */
export const MANIFEST_ROOT: NodeExpectation = { root: true, fanout: MANIFEST_FANOUT }

/** A file on its way: done when nothing remains. */
export interface FileState {
  remainingBytes: number
}

/** A missing block as the fetch engine sees it. */
export interface WalkWant extends Want {
  /** Set for nodes and pages: takes their verified raw bytes, which stay valid. */
  readonly use?: (raw: Uint8Array) => void
  /** Set for chunks. */
  readonly file?: FileState
  /** Where in the release's bytes it begins, for a block of a file; undefined for one of the manifest. */
  readonly offsetBytes?: number | undefined
  /** Its bytes were already used; they only have to be written again. */
  isUsed: boolean
}

/** A block that is here and has to be looked into. */
export interface Held {
  readonly held: BlockId
  readonly use: (raw: Uint8Array) => void
  /** To be asked for when the store turns out to have lost it. */
  readonly lost?: WalkWant
}

export type Step = WalkWant | Held
export type Steps = Generator<Step, void, undefined>

/** Steps through a part of a file's tree. */
interface TreeSteps {
  readonly steps: Steps
  /** Where in the release its next step is, or the one before that. */
  offsetBytes: number
}

/**
 * The generators of a walk. Of those that go through trees of files the one that stands first in the release goes on, whatever
 * the order in which their nodes came: so a release arrives in the order in which it is read. When there are none it is the
 * turn of a stack, of which the topmost goes on until it ends.
 */
export class StepStack {
  readonly #stack: Steps[] = []
  readonly #trees: TreeSteps[] = []

  /** `offsetBytes`: where it begins, for steps through a part of a file's tree. */
  push(steps: Steps, offsetBytes?: number): void {
    if (offsetBytes === undefined) this.#stack.push(steps)
    else this.#trees.push({ steps, offsetBytes })
  }

  /** The next step; undefined when no generator has one. */
  next(): Step | undefined {
    for (let first = this.#firstTree(); first !== undefined; first = this.#firstTree()) {
      const { done, value } = first.steps.next()
      if (done !== true) {
        first.offsetBytes = offsetOf(value) ?? first.offsetBytes
        return value
      }
      this.#trees.splice(this.#trees.indexOf(first), 1)
    }
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      const { done, value } = top.next()
      if (done !== true) return value
      if (this.#stack.pop() !== top)
        throw new CatalogError('INTERNAL', 'a walk ended that was not the top one')
    }
    return undefined
  }

  /** Of several at one place the last one: a node's children before the next node. */
  #firstTree(): TreeSteps | undefined {
    let first = this.#trees[0]
    for (const tree of this.#trees) if (tree.offsetBytes <= first!.offsetBytes) first = tree
    return first
  }
}

const offsetOf = (step: Step): number | undefined =>
  'held' in step ? step.lost?.offsetBytes : step.offsetBytes

/** How far a fetch has come. Bytes are those of files, without manifest and trees. */
export interface WalkProgress {
  bytesFetched: number
  bytesReused: number
  filesDone: number
}

/** One tree as the walk sees it: the manifest's, or a file's. */
export interface Tree {
  readonly position: (level: number, index: number) => Position
  readonly leaf: (child: ChunkRef, index: number, offsetBytes: number) => Steps
  /** The nodes are here for certain and are wanted again: the second pass over the manifest. */
  readonly isRevisited: boolean
  /** Whether it is the tree of a file: its nodes have a place in the release. */
  readonly isFile: boolean
  readonly maxBytes: number
  /** A node that this fetch already takes care of elsewhere. */
  readonly onKnown: (lengthBytes: number) => void
}

/** The tree of the manifest; both passes go through it. */
export const manifestTree = (isRevisited: boolean, leaf: Tree['leaf']): Tree => ({
  position: (level, index) => ({ part: Part.Manifest, top: false, level, index }),
  leaf,
  isRevisited,
  isFile: false,
  maxBytes: MAX_MANIFEST_BYTES,
  onKnown: () => {}
})
