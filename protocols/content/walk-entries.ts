import { CatalogError, plural } from '../../base/index.ts'
import { EntryOrder, INGEST_LIMITS, type ManifestEntry, type Release } from '../../library/index.ts'

export type StatedTotals = Pick<Release, 'sizeBytes' | 'files'>

/** Checks the entries of a release as they come against each other and against what its record states. */
export class EntriesCheck {
  readonly #stated: StatedTotals
  readonly #order = new EntryOrder()
  #sizeBytes = 0
  #files = 0
  #entries = 0

  /** LIMIT_EXCEEDED for more files than a publish takes. */
  constructor(stated: StatedTotals) {
    this.#stated = stated
    checkCount(stated.files)
  }

  /**
   * Takes the next entry: CONTENT_INVALID or PATH_REFUSED when it cannot follow those before it. Returns where in the
   * release's bytes it ends.
   */
  add(entry: ManifestEntry): number {
    checkCount(++this.#entries)
    this.#order.check(entry)
    if (entry.kind !== 'file') return this.#sizeBytes
    this.#files++
    this.#sizeBytes += entry.sizeBytes
    if (this.#sizeBytes > this.#stated.sizeBytes || this.#files > this.#stated.files)
      throw invalid('more or larger files than the record states')
    return this.#sizeBytes
  }

  /** What the record states and no entry has accounted for. */
  get rest(): StatedTotals {
    return {
      sizeBytes: this.#stated.sizeBytes - this.#sizeBytes,
      files: this.#stated.files - this.#files
    }
  }

  /** All entries have come. */
  end(): void {
    const { sizeBytes, files } = this.#stated
    if (this.#sizeBytes !== sizeBytes || this.#files !== files)
      throw invalid(
        `${plural(this.#files, 'file')} of ${this.#sizeBytes} bytes, where the record states ${files} of ${sizeBytes}`
      )
  }
}

/** As many entries as a publish takes, links and folders included: more would never have been made here. */
function checkCount(entries: number): void {
  if (entries > INGEST_LIMITS.maxEntries)
    throw new CatalogError('LIMIT_EXCEEDED', `the release has more than ${INGEST_LIMITS.maxEntries} entries`)
}

export function invalid(what: string): CatalogError {
  return new CatalogError('CONTENT_INVALID', `the content is not what its record says: ${what}`)
}
