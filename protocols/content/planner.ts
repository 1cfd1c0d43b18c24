/**
 * Planning of requests: wanted blocks, named by their positions, become requests of about 1 MiB each.
 *
 * A round trip costs the same for a byte as for a megabyte, so what matters is that every request is full. Neighbours
 * become one run: chunks of a file, pages of a manifest, and files of one chunk that follow each other in a page
 * (entries without a block between them do not matter). A request takes runs of any kind and from any page until it
 * has its bytes, blocks or runs, so a thousand small files travel in one answer just as a thousand chunks of one file.
 */
import type { BlockId } from '../../library/index.ts'
import { Part, type Run } from './frames.ts'
import { MAX_ANSWER_BLOCKS, MAX_ANSWER_BYTES, MAX_ANSWER_NODES, MAX_RUNS } from './limits.ts'

/** Where a block stands in a release. */
export type Position =
  | { readonly part: typeof Part.Manifest; readonly top: true }
  | {
      readonly part: typeof Part.Manifest
      readonly top: false
      readonly level: number
      readonly index: number
    }
  | {
      readonly part: typeof Part.Roots
      readonly page: number
      readonly slot: number
      /** The entry before it in the page that has a block; -1 when it is the first. */
      readonly previousSlot: number
    }
  | {
      readonly part: typeof Part.File
      readonly page: number
      readonly slot: number
      readonly level: number
      readonly index: number
    }

/** A block that is not here: where to ask for it, and what must come. */
export interface Want {
  readonly position: Position
  readonly id: BlockId
  /** Raw length of a chunk or page; undefined for a tree node, whose length nobody states. */
  readonly rawLengthBytes: number | undefined
}

/** Tree nodes are the blocks whose lengths nobody states. */
export function isNode(want: Want): boolean {
  return want.rawLengthBytes === undefined
}

/** Limits of one request; those of the protocol unless given. */
export interface RequestLimits {
  readonly maxBytes: number
  readonly maxBlocks: number
  readonly maxNodes: number
  readonly maxRuns: number
}

export const REQUEST_LIMITS: RequestLimits = {
  maxBytes: MAX_ANSWER_BYTES,
  maxBlocks: MAX_ANSWER_BLOCKS,
  maxNodes: MAX_ANSWER_NODES,
  maxRuns: MAX_RUNS
}

/** One request: its runs as they are sent, and the wants in the order in which their blocks must come. */
export interface PlannedRequest<W extends Want> {
  readonly runs: Run[]
  readonly wants: W[]
}

/** Collects wants into one request until it is full. */
export class RequestBuilder<W extends Want> {
  readonly #limits: RequestLimits
  readonly #wants: W[] = []
  readonly #runs: Run[] = []
  #bytes = 0
  #nodes = 0

  constructor(limits: RequestLimits = REQUEST_LIMITS) {
    this.#limits = limits
  }

  get isEmpty(): boolean {
    return this.#wants.length === 0
  }

  /** Whether the next want, whatever it is, has a place. */
  get isFull(): boolean {
    const { maxBytes, maxBlocks } = this.#limits
    return this.#wants.length >= maxBlocks || this.#bytes >= maxBytes
  }

  /** Takes a want; false when it has no place here any more. An empty request takes any want. */
  add(want: W): boolean {
    const { maxBytes, maxBlocks, maxNodes, maxRuns } = this.#limits
    const { position, rawLengthBytes } = want
    if (!this.isEmpty) {
      if (this.#wants.length >= maxBlocks) return false
      if (rawLengthBytes === undefined ? this.#nodes >= maxNodes : this.#bytes + rawLengthBytes > maxBytes)
        return false
    }
    const last = this.#runs.at(-1)
    const extended = last === undefined ? 0 : extension(last, position)
    if (extended > 0) last!.count += extended
    else if (this.#runs.length >= maxRuns) return false
    else this.#runs.push(runOf(position))
    this.#wants.push(want)
    if (rawLengthBytes === undefined) this.#nodes++
    else this.#bytes += rawLengthBytes
    return true
  }

  build(): PlannedRequest<W> {
    return { runs: this.#runs, wants: this.#wants }
  }
}

const run = (fields: Partial<Run>): Run => ({
  part: Part.Manifest,
  page: 0,
  slot: 0,
  level: 0,
  first: 0,
  count: 1,
  top: false,
  ...fields
})

function runOf(position: Position): Run {
  switch (position.part) {
    case Part.Manifest:
      return position.top ? run({ top: true }) : run({ level: position.level, first: position.index })
    case Part.Roots:
      return run({ part: Part.Roots, page: position.page, slot: position.slot })
    case Part.File: {
      const { page, slot, level, index } = position
      return run({ part: Part.File, page, slot, level, first: index })
    }
  }
}

/** By how much the count of a run must grow to reach this position; 0 when it does not follow the run. */
function extension(last: Run, position: Position): number {
  if (last.part !== position.part || last.top) return 0
  switch (position.part) {
    case Part.Manifest:
      return !position.top && last.level === position.level && last.first + last.count === position.index
        ? 1
        : 0
    case Part.Roots: {
      const end = last.slot + last.count
      const follows = last.page === position.page && position.slot >= end && position.previousSlot < end
      return follows ? position.slot + 1 - end : 0
    }
    case Part.File: {
      const isSame =
        last.page === position.page && last.slot === position.slot && last.level === position.level
      return isSame && last.first + last.count === position.index ? 1 : 0
    }
  }
}
