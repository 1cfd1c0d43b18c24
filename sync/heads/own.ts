/**
 * The heads that this node signs. It has signed them in order, unless it has forgotten: a home that was restored from a backup or
 * copied goes on from an earlier head, and would sign a second one for revisions that others know already. That is told from
 * lying only by a new epoch, so one begins whenever this may be so:
 *
 * - the home does not stand where it stood when it last signed (`place`: whoever copies or restores files makes new ones);
 * - a head of its own comes back from a peer that it does not remember.
 *
 * Epochs are times, so that two copies of a home that begin one each do not begin the same.
 */
import { DAY_MS } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { HEAD_LIFETIME_MS, type Head, type HeadStatement } from './head.ts'

/** A head is signed again when it is so old: who was away for six days still finds one that holds. */
export const RENEW_AFTER_MS = DAY_MS

/** The last head of this node for a library, and where its home stood then. */
export interface OwnHead {
  readonly head: Head
  readonly place: Uint8Array
}

export interface NextHead {
  readonly library: Uint8Array
  readonly root: Uint8Array
  readonly last: OwnHead | undefined
  /** Where the home stands now. */
  readonly place: Uint8Array
  /** Begins an epoch after this one whatever the place; set when a head of one's own came back that is not remembered. */
  readonly afterEpoch?: number
  readonly isClosed: boolean
  readonly nowMs: number
}

/** What the next head of this node says. */
export function nextHead(next: NextHead): HeadStatement {
  const { library, root, last, place, afterEpoch, isClosed, nowMs } = next
  const statement = { library, root, isClosed, time: nowMs, expires: nowMs + HEAD_LIFETIME_MS }
  if (last === undefined) return { ...statement, epoch: Math.max(nowMs, 1 + (afterEpoch ?? 0)), revision: 1 }
  const { head } = last
  const isSame = afterEpoch === undefined && bytesEqual(last.place, place)
  const epoch = isSame ? head.epoch : Math.max(nowMs, head.epoch + 1, (afterEpoch ?? 0) + 1)
  return { ...statement, epoch, revision: head.revision + 1, previous: head.hash }
}

/** Whether a head of this node's own key, come back from a peer, was signed by a life of it that it does not remember. */
export function isForgotten(last: Head | undefined, seen: Head): boolean {
  if (last === undefined || seen.epoch > last.epoch) return true
  if (seen.epoch < last.epoch || seen.revision < last.revision) return false
  return !bytesEqual(seen.hash, last.hash)
}

/** Whether a head should be signed again. */
export const isRenewalDue = ({ time }: Head, nowMs: number): boolean => nowMs >= time + RENEW_AFTER_MS
