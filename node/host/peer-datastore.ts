import { LevelDatastore } from 'datastore-level'
import { type Logger, LruCache } from '../../base/index.ts'

type Key = Parameters<LevelDatastore['put']>[0]
type PutOptions = Parameters<LevelDatastore['put']>[2]
type GetOptions = Parameters<LevelDatastore['get']>[1]

/** Peers met while the disk takes nothing; each has a few rows of some hundred bytes. */
const MAX_UNWRITTEN = 1000

/**
 * libp2p's peer store on disk, where a disk that is full costs no connection: libp2p drops a peer whose addresses it cannot
 * write down. What the disk refuses is kept in memory, the newest of it, and is gone at a restart: it is only a memory of
 * whom this node has met.
 */
export class PeerDatastore extends LevelDatastore {
  readonly #log: Logger
  readonly #unwritten = new LruCache<string, Uint8Array>({ maxEntries: MAX_UNWRITTEN })
  #isFailing = false

  constructor(modules: { log: Logger }, folder: string) {
    super(folder)
    this.#log = modules.log
  }

  override async put(key: Key, value: Uint8Array, options?: PutOptions): Promise<Key> {
    try {
      await super.put(key, value, options)
      this.#unwritten.delete(key.toString())
      this.#isFailing = false
    } catch (error) {
      this.#failed(error, options?.signal)
      this.#unwritten.set(key.toString(), value)
    }
    return key
  }

  override async get(key: Key, options?: GetOptions): Promise<Uint8Array> {
    return this.#unwritten.get(key.toString()) ?? (await super.get(key, options))
  }

  override async has(key: Key, options?: GetOptions): Promise<boolean> {
    return this.#unwritten.get(key.toString()) !== undefined || (await super.has(key, options))
  }

  override async delete(key: Key, options?: GetOptions): Promise<void> {
    this.#unwritten.delete(key.toString())
    try {
      await super.delete(key, options)
    } catch (error) {
      this.#failed(error, options?.signal)
    }
  }

  /** Told once for each time that the disk begins to refuse. */
  #failed(error: unknown, signal: AbortSignal | undefined): void {
    signal?.throwIfAborted()
    if (!this.#isFailing)
      this.#log.warn({ err: error }, 'the peer store cannot be written; peers are kept in memory')
    this.#isFailing = true
  }
}
