/**
 * How one who does not have a content looks at samples of it, so that the holder cannot choose them.
 *
 * The samples are bytes of the content, drawn as ever, and kept secret. What is missing is where they stand: how many bytes are under
 * which page only the holder can say. So the holder is asked, from the root down: here is a node of the manifest's tree (its hash says
 * that it is one), and so many bytes are under each of its children. Their sum has to be what was said of the node itself; of the root that is
 * the size that the owner signed. Then each sample has a child that it is in, and that one is asked for next. The holder learns which child,
 * and not where in it.
 *
 * At a page it ends: its entries say how many bytes are really under it, and if that is not what was said, the proof has failed. So a lie does
 * not help. Say that of the bytes that a node is said to have, c, the holder really has h, and goes through at most with h / c. A
 * page whose number is wrong has it fail, and a page whose number is right has it go through if the sample is among the bytes that it has: h / c. Of a
 * node, child i is met with probability c_i / c, and goes through with at most h_i / c_i: the sum is h / c again. So whatever is said, a
 * sample is met as if it had been drawn from all bytes alike, and several samples are as good as drawn one by one, since what is said of a
 * node is said before anything is known of where in it they are.
 *
 * Where the samples are of the pages themselves, the lengths in the tree say where they are, and nothing has to be believed.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError } from '../../base/index.ts'
import {
  type BlockId,
  blockIdOf,
  decodeNode,
  decodePage,
  expectChild,
  isSingleChunk,
  MANIFEST_FANOUT,
  type NodeExpectation
} from '../../library/index.ts'
import type { Node, Place } from './messages.js'
import { Received, wrongProof } from './received.ts'
import { childWith, fileBytesOf, MANIFEST_ROOT } from './ways.ts'
import { WEIGHT_BYTES } from './wire.ts'

/** A node of the manifest's tree, or a page, with the samples under it. */
interface Stop {
  /** 0 is a page. */
  readonly level: number | 'root'
  readonly index: number
  readonly id: BlockId
  readonly expected: NodeExpectation
  /** Bytes that are said to be under it: of the top by the record, else by the holder. */
  readonly weight: number
  readonly isTop: boolean
  readonly samples: Drawn[]
}

/** A sample: as the how manieth it was drawn, and where among the bytes of its stop it is. */
interface Drawn {
  readonly turn: number
  readonly offset: number
}

/** A sample under a page. */
export interface PageSample extends Pick<Stop, 'id' | 'weight' | 'isTop'> {
  readonly page: number
  readonly offset: number
}

/** Draws the samples among so many bytes. */
export type Draw = (sizeBytes: number) => number[]

export class Descent {
  /** Whether the samples are of the pages themselves. */
  readonly isOfPages: boolean
  readonly #draw: Draw
  #stops: Stop[]

  /** `sizeBytes`: of all files, as the owner signed. */
  constructor(content: CID, sizeBytes: number, draw: Draw) {
    this.isOfPages = sizeBytes === 0
    this.#draw = draw
    const top = { index: 0, id: blockIdOf(content), expected: MANIFEST_ROOT, weight: sizeBytes, isTop: true }
    const isOnePage = isSingleChunk(content)
    // Of pages nobody has said yet how many bytes they are. Of one page any byte is as good as another.
    const offsets = this.isOfPages ? (isOnePage ? [0] : []) : draw(sizeBytes)
    this.#stops = [{ ...top, level: isOnePage ? 0 : 'root', samples: inTurn(offsets) }]
  }

  /** Nodes to ask for next; none once all samples are under pages. */
  get wanted(): Place[] {
    return this.#open.map(({ level, index }) => ({ level: level === 'root' ? 0 : level, index }))
  }

  /** Where the samples are, once nothing is wanted: in the order in which they were drawn, so that the first of them are as good as others. */
  get samples(): PageSample[] {
    return this.#stops
      .flatMap(({ index, id, weight, isTop, samples }) =>
        samples.map(({ turn, offset }) => ({ turn, page: index, id, weight, isTop, offset }))
      )
      .sort((a, b) => a.turn - b.turn)
  }

  get #open(): Stop[] {
    return this.#stops.filter(({ level }) => level !== 0)
  }

  /** The answer to what was wanted. BYTES_WRONG when it is no right one, CONTENT_INVALID when it and the record disagree. */
  take(nodes: readonly Node[]): void {
    const open = this.#open
    if (nodes.length !== open.length) throw wrongProof(`${nodes.length} nodes came for ${open.length}`)
    // All nodes of a level are as far down as each other, so no stop is a page before all are.
    this.#stops = open.flatMap((stop, at) => this.#below(stop, nodes[at]!))
  }

  /** The children of a node that samples are under. */
  #below(stop: Stop, { block, weights: said }: Node): Stop[] {
    const node = decodeNode(new Received([block]).get(stop.id), stop.expected)
    const lengths = node.children.map(({ lengthBytes }) => lengthBytes)
    const weights = this.isOfPages ? lengths : readWeights(said, lengths.length)
    const isDrawn = !this.isOfPages || stop.level !== 'root'
    const { weight, samples } = isDrawn
      ? stop
      : { weight: node.sizeBytes, samples: inTurn(this.#draw(node.sizeBytes)) }
    if (sumOf(weights) !== weight) throw otherSum(stop)
    const stops = new Map<number, Stop>()
    for (const { turn, offset } of samples) {
      const { index, startBytes } = childWith(weights, offset)
      const child = stops.get(index) ?? {
        level: node.level - 1,
        index: stop.index * MANIFEST_FANOUT + index,
        id: node.children[index]!.id,
        expected: expectChild(node, index, stop.expected),
        weight: weights[index]!,
        isTop: false,
        samples: []
      }
      child.samples.push({ turn, offset: offset - startBytes })
      stops.set(index, child)
    }
    return [...stops.values()]
  }

  /** Checks a page against what was said of it. BYTES_WRONG, CONTENT_INVALID. */
  checkPage(page: Uint8Array, sample: PageSample): void {
    const bytes = fileBytesOf(decodePage(page))
    // Who signs that a content has no bytes does not have its chunks left alone.
    if (this.isOfPages ? bytes > 0 : bytes !== sample.weight)
      throw otherSum({ isTop: this.isOfPages || sample.isTop })
  }
}

/** Anybody can sign a release of somebody's content with another size: a holder is not blamed for what disagrees with a record only. */
const otherSum = ({ isTop }: Pick<Stop, 'isTop'>): CatalogError =>
  isTop
    ? new CatalogError('CONTENT_INVALID', 'the content has not the size that its record states')
    : wrongProof('what is under a node or page is not what was said of it')

const inTurn = (offsets: readonly number[]): Drawn[] => offsets.map((offset, turn) => ({ turn, offset }))

export function encodeWeights(weights: readonly number[]): Uint8Array {
  const bytes = Buffer.alloc(weights.length * WEIGHT_BYTES)
  for (const [at, weight] of weights.entries()) bytes.writeBigUInt64LE(BigInt(weight), at * WEIGHT_BYTES)
  return bytes
}

function readWeights(bytes: Uint8Array, count: number): number[] {
  if (bytes.byteLength !== count * WEIGHT_BYTES)
    throw wrongProof(`${bytes.byteLength} bytes of weights for ${count} children`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return Array.from({ length: count }, (_, at) => Number(view.getBigUint64(at * WEIGHT_BYTES, true)))
}

const sumOf = (weights: readonly number[]): number => weights.reduce((sum, weight) => sum + weight, 0)
