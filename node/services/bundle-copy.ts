/**
 * The copy that the bundle of a whole library becomes, as if the library had been followed to its head: the next comparison with a peer goes on
 * from there. Records go to the worker batch by batch, which makes the copy of them once all are there. Where there can be none the bundle
 * is taken in all the same, and says why.
 */
import { type ErrorCode, type Logger, toCatalogError } from '../../base/index.ts'
import type { BundledRecord, BundleOutcome, BundlePort, LibrarySets } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { BundleResult } from '../bundle-schemas.ts'
import type { BundleCopying, BundleHead } from './bundle-import.ts'
import type { CopyHere } from './follow-union.ts'
import { formatAddress } from './library-address.ts'
import { peerOf } from './writer-key.ts'

type CopyState = BundleResult['copy']

export interface LibraryCopyModules {
  sets: Pick<LibrarySets, 'copyOf' | 'openBundle'>
  logger: Logger
  /** The first copy of a library has come, and with it, perhaps, who may know of what. */
  onAudienceChanged(): Promise<void>
}

export interface LibraryCopyOptions {
  /** Public key of this node. */
  own: Uint8Array
  /** Records that a followed library may have. */
  maxRecords: number
  /** And their bytes, all together. */
  maxBytes: number
}

export class LibraryCopy implements BundleCopying {
  readonly #modules: LibraryCopyModules
  readonly #options: LibraryCopyOptions
  readonly #of: BundleHead
  #port: BundlePort | undefined
  #isNew = false
  /** What it was made. */
  #made: CopyHere | undefined
  /** Known before the end where there can be no copy. */
  #state: CopyState | undefined

  constructor(modules: LibraryCopyModules, options: LibraryCopyOptions, of: BundleHead) {
    this.#modules = modules
    this.#options = options
    this.#of = of
    if (bytesEqual(of.head.writer, options.own)) this.#state = 'own'
    else if (of.isOlder) this.#state = 'older'
  }

  async take(records: readonly BundledRecord[]): Promise<void> {
    const [first] = records
    if (first !== undefined && this.#state === undefined && this.#port === undefined)
      await this.#open(first.count)
    if (this.#state !== undefined) return
    const bytes = records.map(({ record }) => record.bytes)
    await this.#unlessRefused(async () => await this.#port?.take(bytes))
  }

  async end(): Promise<CopyState> {
    const outcome = await this.#unlessRefused(async () => await this.#port?.end())
    await this.close()
    this.#state ??= await this.#stateOf(outcome)
    return this.#state
  }

  async close(): Promise<void> {
    const port = this.#port
    this.#port = undefined
    await port?.close()
  }

  /** The copy, if it was made. */
  get made(): { library: Uint8Array; copy: CopyHere } | undefined {
    return this.#made && { library: this.#of.head.library, copy: this.#made }
  }

  async #open(records: number): Promise<void> {
    const { sets } = this.#modules
    const { maxRecords, maxBytes } = this.#options
    const { head, name } = this.#of
    const { library, writer, bytes } = head
    this.#isNew = (await sets.copyOf(library)) === undefined
    await this.#unlessRefused(async () => {
      const opening = { library, writer, name, head: bytes, records, maxRecords, maxBytes }
      this.#port = await sets.openBundle(opening)
    })
  }

  /** What stands against a copy, and against nothing else in the bundle, is its state. */
  async #unlessRefused<T>(work: () => Promise<T>): Promise<T | undefined> {
    try {
      return await work()
    } catch (thrown) {
      this.#state = REFUSALS.get(toCatalogError(thrown).code)
      if (this.#state === undefined) throw thrown
      await this.close()
      return undefined
    }
  }

  async #stateOf(outcome: BundleOutcome | undefined): Promise<CopyState> {
    // Without a record there is no proof of how many there are.
    if (outcome === undefined || outcome.state === 'part') return 'part'
    if (outcome.state === 'behind') return 'older'
    const { logger, onAudienceChanged } = this.#modules
    const { head, name } = this.#of
    logger.info({ library: formatAddress({ writer: peerOf(head.writer), name }), ...outcome }, COPIED)
    this.#made = { root: Buffer.from(head.root).toString('hex'), state: outcome.state }
    if (this.#isNew) await onAudienceChanged()
    return 'made'
  }
}

const COPIED = 'a bundle has made a copy of a library what it has'

const REFUSALS: ReadonlyMap<ErrorCode, CopyState> = new Map([
  ['BUSY', 'busy'],
  ['LIMIT_EXCEEDED', 'too-large']
])
