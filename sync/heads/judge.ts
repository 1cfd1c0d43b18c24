/**
 * What to make of a head that comes, beside the one that is known of the same writer and library. The writer's heads are a chain: in
 * one epoch each has a revision one larger than the head before and names its hash. So two heads of one epoch are enough to show that
 * a writer has told two stories:
 *
 * - one revision, and two roots;
 * - revisions next to each other, where the later one names another head as the one before.
 *
 * A restored backup or a copied home would do the same without any malice; so it must not sign under its old epoch (own.ts),
 * and who does is taken at its word. Between heads that are further apart nothing can be told: they are taken by their order.
 */
import { isTimely } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Head } from './head.ts'

export type HeadVerdict =
  /** Newer than what is known: it takes its place. */
  | 'newer'
  /** The known one, or one that says the same. */
  | 'known'
  /** Of an earlier epoch or revision: somebody shows an old state. */
  | 'older'
  /** Signed more than ten minutes ahead of this clock: it would be relied on for too long. */
  | 'early'
  /** Contradicts the known one; the two together are the evidence. */
  | 'contradiction'

/** Judges a verified head of the same library and writer as `known`; undefined when none is known. */
export function judgeHead(known: Head | undefined, incoming: Head, nowMs: number): HeadVerdict {
  if (known !== undefined && contradicts(known, incoming)) return 'contradiction'
  if (!isTimely(incoming.time, nowMs)) return 'early'
  if (known === undefined || incoming.epoch > known.epoch) return 'newer'
  if (incoming.epoch < known.epoch || incoming.revision < known.revision) return 'older'
  return incoming.revision === known.revision ? 'known' : 'newer'
}

function contradicts(a: Head, b: Head): boolean {
  if (a.epoch !== b.epoch) return false
  if (a.revision === b.revision) return !bytesEqual(a.root, b.root)
  const [before, after] = a.revision < b.revision ? [a, b] : [b, a]
  if (after.revision > before.revision + 1) return false
  return !bytesEqual(after.previous!, before.hash)
}

/** Whether a head may no longer be relied on: what it does not show may have been hidden for a week. */
export const isExpired = ({ expires }: Head, nowMs: number): boolean => nowMs >= expires
