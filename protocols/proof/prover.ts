/** What a node that holds a content says and shows of it. It reads one block at a time, and keeps nothing of the content from being collected. */
import type { CID } from 'multiformats/cid'
import type { BlockId, ContentStore } from '../../library/index.ts'
import type { ByteMaps } from './byte-maps.ts'
import { encodeWeights } from './descent.ts'
import type { Node, Place } from './messages.js'
import { type Challenge, possessionDigest, sampleOffsets } from './samples.ts'
import {
  type Blocks,
  type BytePlace,
  type BytesOfPage,
  type FoundBytes,
  findBytes,
  findNode,
  findPage,
  isAmong
} from './ways.ts'

export interface ProverModules {
  readonly store: Pick<ContentStore, 'readBlock' | 'summary'>
  readonly maps: Pick<ByteMaps, 'of'>
}

/** Each fails with CONTENT_MISSING or CONTENT_CORRUPT where the content is not whole here, and with NOT_FOUND for a place that it has not. */
export class Prover {
  readonly #modules: ProverModules
  readonly #blocks: Blocks

  constructor(modules: ProverModules) {
    this.#modules = modules
    this.#blocks = { read: (id, signal) => modules.store.readBlock(id, signal) }
  }

  /** Digests of the samples of a challenge. A chunk with several samples is read once. */
  async digests(content: CID, challenge: Challenge, signal: AbortSignal): Promise<Uint8Array[]> {
    const map = await this.#modules.maps.of(content, signal)
    const known: Array<BytesOfPage & { digest: Uint8Array }> = []
    const digests: Uint8Array[] = []
    for (const place of sampleOffsets(challenge.nonce, map.sizeBytes).map(offset => map.find(offset))) {
      let found = known.find(bytes => isAmong(place, bytes))
      if (found === undefined) {
        const { block, startBytes, endBytes } = await this.#find(this.#blocks, content, place, signal)
        const digest = possessionDigest(challenge, block)
        found = { page: place.page, startBytes, endBytes, digest }
        known.push(found)
      }
      digests.push(found.digest)
    }
    return digests
  }

  /** A node of the manifest's tree, and how many bytes are under its children. */
  async node(content: CID, place: Place, signal: AbortSignal): Promise<Node> {
    const { level, index, block, node } = await findNode(this.#blocks, content, place, signal)
    const map = await this.#modules.maps.of(content, signal)
    return { block, weights: encodeWeights(map.weightsBelow(level, index, node.children.length)) }
  }

  /** The blocks from a page down to a byte under it. */
  async blocks(content: CID, place: BytePlace, signal: AbortSignal): Promise<Uint8Array[]> {
    const passed: Uint8Array[] = []
    const read = async (id: BlockId): Promise<Uint8Array> => {
      const block = await this.#blocks.read(id, signal)
      passed.push(block)
      return block
    }
    await this.#find({ read }, content, place, signal)
    return passed
  }

  async #find(below: Blocks, content: CID, place: BytePlace, signal: AbortSignal): Promise<FoundBytes> {
    const page = await findPage(this.#blocks, content, place.page, signal)
    const isOfPages = this.#modules.store.summary(content)?.sizeBytes === 0
    return await findBytes(below, page, { offset: place.offset, isOfPages }, signal)
  }
}
