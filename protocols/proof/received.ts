import { CatalogError } from '../../base/index.ts'
import { type BlockId, hashBlock, idKey } from '../../library/index.ts'
import type { Blocks } from './ways.ts'

/** The blocks of an answer, by their hashes: what is asked of them is right, or not among them. */
export class Received implements Blocks {
  readonly #blocks: ReadonlyMap<string, Uint8Array>

  constructor(blocks: readonly Uint8Array[]) {
    this.#blocks = new Map(blocks.map(block => [idKey(hashBlock(block)), block]))
  }

  /** BYTES_WRONG when the answer does not have it. */
  async read(id: BlockId): Promise<Uint8Array> {
    return this.get(id)
  }

  get(id: BlockId): Uint8Array {
    const block = this.#blocks.get(idKey(id))
    if (block === undefined) throw wrongProof('a block on the way is missing or is not the right one')
    return block
  }
}

/** What a peer answered is no proof. */
export const wrongProof = (what: string): CatalogError =>
  new CatalogError('BYTES_WRONG', `a proof does not hold: ${what}`)
