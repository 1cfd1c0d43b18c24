import { HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/index.ts'

/** A peer counts once it was connected for so long: who is refused, or looks in and goes, does not. */
export const LIVE_AFTER_MS = 5 * SECOND_MS
/**
 * Losses so close to each other have one cause. One cut shows within 8 s on control streams, after 10 to 13 s where there is none; peers that fail by themselves,
 * a tenth of them in an hour, lose 0.06 % in this time.
 */
export const TOGETHER_MS = 20 * SECOND_MS
/** With fewer peers nobody can tell a partition from two machines that are off: without any of them the node is offline, no more. */
export const MIN_LIVE = 3
/** One peer alone is never a partition, however few there are. */
export const MIN_LOST = 2
/** From this share on: copies of most releases are then on one side only, and making all of them anew is what must not happen. */
export const LARGE_SHARE = 1 / 3
/** From this share on without anybody's word: nobody who is left has known those that are gone. */
export const UNCONFIRMED_SHARE = 1 / 2
/** A suspicion is no partition before: peers that are dialled again, as after a change of address, are back by then. */
export const CONFIRM_MS = 2 * SECOND_MS
/** A suspicion that nobody confirms or denies is decided by the share then: with the 8 s before, within 15 s of the cut. */
export const SUSPECT_MS = 5 * SECOND_MS
/** As long as none of those who are left has answered at all, as on machines that are very busy: to forget the loss then would be to miss the partition for good. */
export const UNANSWERED_MS = 30 * SECOND_MS
/** Between two ticks: this process stood still, and so it is no wonder that it heard nobody. */
export const STALL_MS = 2 * SECOND_MS
/** After it: peers that are there come back, or are dialled, by then. */
export const STALL_GRACE_MS = 10 * SECOND_MS
/** Of those that were lost, so many have to be back for the partition to heal. */
export const RETURNED_SHARE = 1 / 2
/** Up to this share of the peers is lost: with this node those who are left are more than half, as one side of a cut can be and no other. */
export const TAKE_OVER_SHARE = 1 / 2
/** The majority waits no longer than this before it makes anew what is lost: most cuts are over by then, and most of what still lasts are machines that died together. */
export const TAKE_OVER_MS = 15 * MINUTE_MS
/** Who stays away for so long is gone: what it held has to be somewhere else. */
export const GIVE_UP_MS = HOUR_MS
/** Peers that are kept in mind: above any number of connections that a node holds. */
export const MAX_PEERS = 2000
