import { KIB, MIB, SECOND_MS } from '../../base/index.ts'

/** Bytes of a content that one challenge looks at: who has half of them goes through once in 65,536 times. A part of the protocol. */
export const SAMPLES = 16
/** Random bytes of a challenge: no two are ever the same. */
export const PROOF_NONCE_BYTES = 32
/** Samples whose bytes are always asked for, where the asker does not hold the content: who has half goes through once in 16 times. */
export const MIN_SENT_SAMPLES = 4
/** And no more once so much has come: of small files that is all 16, of large ones 4 to 8. */
export const ENOUGH_SENT_BYTES = 512 * KIB

/** A member record and a demand summary (docs/mirror.md), as they travel with an answer. */
export const MAX_TOLD_MEMBER_BYTES = 512
export const MAX_TOLD_DEMAND_BYTES = 16 * KIB
/** Name, version, key and CID are 400 bytes at most, 16 places 224; the rest is for the trace context and later fields. */
export const MAX_REQUEST_BYTES = KIB
/**
 * The largest chunk (256 KiB), page (32 KiB) and way through the tree of a file (4 nodes of 41 KiB), and what is told: 469 KiB. It is
 * what a peer can make an asker hold, and what an answer to a peer that does not read holds here.
 */
export const MAX_RESPONSE_BYTES = 512 * KIB

/** Requests of one stream: 4 levels of a manifest's tree and 16 samples. */
export const MAX_STREAM_REQUESTS = 24
/** Streams of one connection: who asks has one challenge under way, and a few that end. */
export const MAX_STREAMS_PER_CONNECTION = 4
/** What a peer may ask for: a request for nodes or a sample costs 1, one for digests 4. A whole challenge is at most 20. */
export const PROOF_RATE = { perSecond: 4, burst: 128 }
export const DIGESTS_COST = 4
/** Answers that are made at once, for all peers: each reads one block at a time, and users' transfers need the disk more. */
export const MAX_PROVING = 2
/** Answers under way, one of a peer: made, waiting for that, or waiting for their turn to be sent; 16 MiB at most. More are answered BUSY. */
export const MAX_UNDER_WAY = 32
/**
 * An answer that is not made by then, or whose turn to be sent has not come by then, is BUSY instead: the asker does not wait much longer,
 * and would take lateness for a lie. At the least rate that a limit can have (32 KiB/s) the turn of the largest answers comes in time.
 */
export const MAKE_MS = 5 * SECOND_MS
export const TURN_MS = 10 * SECOND_MS
/** When to come again after BUSY: the digests of a busy node are ready within seconds, its map of a large content within minutes. */
export const PROOF_RETRY_MS = 30 * SECOND_MS

/** For dialling and opening a stream. */
export const PROOF_OPEN_MS = 10 * SECOND_MS
/**
 * An answer that has not come by then is no proof. Above the 10 s in which a lost connection shows, which is no failure of the peer, and above the
 * 15 s in which it was to be on its way.
 */
export const LATE_MS = 25 * SECOND_MS
/** All answers of one challenge: 1 MiB at 17 KB/s. */
export const ALL_LATE_MS = 60 * SECOND_MS

/** Maps of where the bytes of contents stand (byte-map.ts): 8 bytes for each manifest page, so those of some 18 million files. */
export const MAP_CACHE_BYTES = 16 * MIB
/** Contents whose maps are being made, one at a time, and waited for. */
export const MAX_MAPS_WAITING = 16
/** Records of one version of one owner that are looked at: an owner that contradicts itself has a few. */
export const MAX_RECORDS_LOOKED_AT = 16
