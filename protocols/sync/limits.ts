import { KIB, MINUTE_MS, SECOND_MS } from '../../base/index.ts'
import type { PeerRate } from '../exchange/peer-rates.ts'

/** Body of a frame: what is held before it is looked at. A turn that needs more has several frames. */
export const MAX_SYNC_FRAME_BYTES = 256 * KIB
/** Groups of a frame of a descent: as many as the third level of a trie has subtrees. Each asks for an answer. */
export const MAX_GROUPS = 4096
/** Records of one list, and keys of one frame of wants: 32 and 64 KiB. */
export const MAX_LIST = 8192
/** Digits that a group looks down at most: 4,096 subtrees, 16 KiB of fingerprints. */
export const MAX_STEP = 3
/** Digits of the subtrees of a range: with 16^5 of them a set of 2^31 records still has lists of 2,048. */
export const MAX_RANGE_DEPTH = 5
/** Records of one frame; also in messages.proto. */
export const MAX_RECORDS_PER_FRAME = 1024

/** A salted hash, shortened: in a million comparisons one in 4,000 sessions sees two as equal that are not, and the roots show it. */
export const FINGERPRINT_BYTES = 4
/** A cell of a sketch, without its count. */
export const SKETCH_CELL_BYTES = 16
/** Bytes of a trieKey that an item of a sketch and a want have. */
export const WANT_KEY_BYTES = 8
/** Random bytes of each side: nobody else can know the salt that is made of them. */
export const NONCE_BYTES = 16
export const ROOT_BYTES = 32
export const TRIE_KEY_BYTES = 32
/** A library's id (docs/sync.md). */
export const LIBRARY_ID_BYTES = 32
/** A signed head: hashes, numbers, two keys and a signature, some 330 bytes today; the rest is for fields of later versions. */
export const MAX_HEAD_BYTES = KIB
/** 48 cells, 176 counts, a root, a trace context: 1.3 KB, and room for what is added later. */
export const MAX_HELLO_BYTES = 4 * KIB
/**
 * Changes that are told out of the log, records and keys together: a frame of 32 KiB at most. Where more has changed, a sketch costs
 * little beside the records.
 */
export const MAX_TOLD_CHANGES = 1024
/** Records of a set: counts of a sketch have 31 bits. */
export const MAX_SET_RECORDS = 0x7fff_ffff
/** Code and message, tags and lengths. */
export const MAX_ABORT_BYTES = 2 * KIB

/** Sessions that one peer may have open here: one, and the next while the stream of the last one ends. */
export const MAX_SESSIONS_PER_PEER = 2
/** Sessions served at once, of all peers. */
export const MAX_SERVED_SESSIONS = 12
/** Between two comparisons of the whole tries of a large library that one peer asks for: each reads much of the tree. */
export const COMPARISON_INTERVAL_MS = MINUTE_MS
/** Sessions that one peer may open: a node that follows a thousand libraries of one other, and their heads as they change. */
export const OPENING_RATE: PeerRate = { perSecond: 20, burst: 200 }
/**
 * Records of sets that are gone through for sketches for one peer: 30,000 take some 50 ms, so that is a tenth of a core. A peer that has had
 * more waits before another sketch is made for it,
 */
export const SKETCHED_RECORDS_PER_SECOND = 50_000
/** unless it is ahead by no more than this: 500,000 records at once. */
export const SKETCH_AHEAD_MS = 10 * SECOND_MS
/** For the first frame of a stream. */
export const HELLO_TIMEOUT_MS = 5 * SECOND_MS
/** For the first frame of a turn: a peer writes what came to its disk before, 10,000 records at a time. */
export const TURN_TIMEOUT_MS = 2 * MINUTE_MS
/** For any other frame, of 256 KiB at most: a peer that is slower than 9 KB/s is let go. */
export const FRAME_TIMEOUT_MS = 30 * SECOND_MS
/**
 * For all that whoever opened a session waits for, beyond what the bytes that come are worth: a frame each half a minute would keep the
 * library from being followed for as long as a session may take.
 */
export const PATIENCE_MS = MINUTE_MS
/** And what they are worth. */
export const LEAST_BYTES_PER_SECOND = 4 * KIB
/** For a peer to take 1 MiB that is sent to it. */
export const SEND_TIMEOUT_MS = MINUTE_MS
/** For a whole session: 200,000 records took three minutes on a busy machine; what was stored of one that is cut off is not sent again. */
export const SESSION_TIMEOUT_MS = 30 * MINUTE_MS
