/**
 * Which records may come in a turn. A peer sends records that were asked for, or that belong below a list which it was sent,
 * or, where it alone has read the sketch, some that nobody here could ask for. Everything else is refused before its
 * signature is looked at. Keys rise within a turn, so nothing comes twice and nothing has to be remembered.
 */
import { CatalogError } from '../../base/index.ts'
import { WANT_KEY_BYTES } from '../../protocols/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { SketchedRecord } from '../sketch/index.ts'
import { findRecord, type Path, pathOf, type TreeView } from '../trie/index.ts'
import type { Fingerprinter } from './fingerprints.ts'
import { MAX_HELD_RECORDS } from './limits.ts'

/** Digits of the first bytes of a key that a want has. */
export const WANT_DIGITS = 2 * WANT_KEY_BYTES

export interface Arrivals {
  /** First digits of the keys that were asked for. */
  readonly keys: ReadonlySet<Path>
  /** Fingerprints that were asked for, and what makes them. */
  readonly fingerprints: ReadonlySet<number>
  readonly fingerprinter: Fingerprinter | undefined
  /** Places that the other side was shown a list of. */
  readonly under: ReadonlySet<Path>
  /** Records that may come without being asked for. */
  readonly unasked: number
}

export const NO_ARRIVALS: Arrivals = {
  keys: new Set(),
  fingerprints: new Set(),
  fingerprinter: undefined,
  under: new Set(),
  unasked: 0
}

/** How far a turn's records have come. */
export interface Arrived {
  readonly lastKey: Uint8Array | undefined
  readonly unasked: number
  /** Records of the whole session that were here already. */
  readonly held: number
}

/**
 * Judges records of a turn in the order they came in: which are new here. Throws PROTOCOL_VIOLATION for one that must not come.
 */
export function judgeArrivals(
  { expected, view }: { expected: Arrivals; view: TreeView },
  before: Arrived,
  records: readonly SketchedRecord[]
): { arrived: Arrived; isNew: boolean[] } {
  let { lastKey, unasked, held } = before
  const fingerprints = expected.fingerprinter?.of(records.map(({ recHash }) => recHash))
  const depths = new Set([...expected.under].map(path => path.length))
  const isNew = records.map(({ trieKey, recHash }, index) => {
    if (lastKey !== undefined && Buffer.compare(lastKey, trieKey) >= 0) throw refused('out of order')
    lastKey = trieKey
    const isAskedFor =
      expected.keys.has(pathOf(trieKey, WANT_DIGITS)) ||
      (fingerprints !== undefined && expected.fingerprints.has(fingerprints[index]!)) ||
      [...depths].some(depth => expected.under.has(pathOf(trieKey, depth)))
    if (!isAskedFor && ++unasked > expected.unasked) throw refused('that nobody asked for')
    const here = findRecord(view, trieKey)
    if (here === undefined || !bytesEqual(here, recHash)) return true
    if (++held > MAX_HELD_RECORDS) throw refused('that is here, once too often')
    return false
  })
  return { arrived: { lastKey, unasked, held }, isNew }
}

function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `the other side sent a record ${what}`)
}
