import { CatalogError, GIB } from '../../base/index.ts'
import type { BlockId, ChunkRef } from '../../library/index.ts'
import { Part } from './frames.ts'
import type { Position, Want } from './planner.ts'

/** Ten million files of a kilobyte of manifest each hundred: no package comes near. */
const MAX_MANIFEST_BYTES = GIB

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

/** Generators of which the topmost one goes on, until it ends. */
export class StepStack {
  readonly #stack: Steps[] = []

  push(steps: Steps): void {
    this.#stack.push(steps)
  }

  /** The next step of the topmost generator that has one; undefined when none has. */
  next(): Step | undefined {
    for (let top = this.#stack.at(-1); top !== undefined; top = this.#stack.at(-1)) {
      const { done, value } = top.next()
      if (done !== true) return value
      if (this.#stack.pop() !== top)
        throw new CatalogError('INTERNAL', 'a walk ended that was not the top one')
    }
    return undefined
  }
}

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
  readonly maxBytes: number
  /** A node that this fetch already takes care of elsewhere. */
  readonly onKnown: (lengthBytes: number) => void
}

/** The tree of the manifest; both passes go through it. */
export const manifestTree = (isRevisited: boolean, leaf: Tree['leaf']): Tree => ({
  position: (level, index) => ({ part: Part.Manifest, top: false, level, index }),
  leaf,
  isRevisited,
  maxBytes: MAX_MANIFEST_BYTES,
  onKnown: () => {}
})
