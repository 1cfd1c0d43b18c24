import type { CID } from 'multiformats/cid'
import type { Have } from './messages.js'

/** Says what is here now of a content that is being fetched. */
export type ReadHave = () => Have

/**
 * Contents that this node is fetching, so that its server can say what it has of them already. The fetcher adds and takes
 * away, the server asks; as many as there are fetches at once.
 */
export class PartialContents {
  readonly #contents = new Map<string, ReadHave>()

  /** Returns what takes it away again. */
  add(content: CID, read: ReadHave): () => void {
    const key = content.toString()
    this.#contents.set(key, read)
    return () => {
      if (this.#contents.get(key) === read) this.#contents.delete(key)
    }
  }

  /** Undefined for a content that is not being fetched. */
  have(content: CID): Have | undefined {
    return this.#contents.get(content.toString())?.()
  }
}
