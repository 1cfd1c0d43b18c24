import type { HeadVerdict } from '../../sync/index.ts'
import type { SaidHead } from './heads.ts'
import type { End } from './stream.ts'

/** What keeps the sets of a node equal to those of others: it has the sessions. */
export interface Syncer {
  /** Whether a head counts once, or once from each neighbour that tells it. */
  readonly isTold: 'once' | 'by each'
  /** Sessions, both begun and answered. */
  readonly open: number
  /** Neighbours that are to be asked. */
  readonly wanted: number
  start(): void
  /** A neighbour has told a head, which was verified and judged. */
  heard(from: number, head: SaidHead, verdict: HeadVerdict | 'forgotten'): void
  /** A neighbour has opened a stream. */
  answer(from: number, end: End): void
}
