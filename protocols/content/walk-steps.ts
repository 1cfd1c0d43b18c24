import type { BlockId, ChunkRef } from '../../library/index.ts'
import type { Position, Want } from './planner.ts'

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

/** How far a fetch has come. Bytes are those of files, without manifest and trees. */
export interface WalkProgress {
  bytesFetched: number
  bytesReused: number
  filesDone: number
}

/** One tree as the walk sees it: the manifest's, or a file's. */
export interface Tree {
  readonly position: (level: number, index: number) => Position
  readonly leaf: (child: ChunkRef, index: number) => Steps
  /** The nodes are here for certain and are wanted again: the second pass over the manifest. */
  readonly isRevisited: boolean
  readonly maxBytes: number
  /** A node that this fetch already takes care of elsewhere. */
  readonly onKnown: (lengthBytes: number) => void
}
