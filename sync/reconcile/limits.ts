import { KIB, MIB } from '../../base/index.ts'
import { MAX_BUCKET_RECORDS } from '../trie/index.ts'

/** Cells in the first message: they show some 25 differences, which most sessions have not. */
export const HELLO_CELLS = 48
/** Counts in it: with 128 more than cells an estimate is within a tenth two times in three. */
export const HELLO_COUNTS = HELLO_CELLS + 128

/** Cells that a difference takes, where there are a thousand. */
export const CELLS_PER_DIFFERENCE = 1.38
/** An estimate is not exact: with this much more, 19 of 20 sketches show everything. */
export const ESTIMATE_MARGIN = 1.18
/** Small differences take more cells each. */
export const EXTRA_CELLS = 28
/** Cells of one frame: 168 KiB at most. */
export const CELLS_PER_FRAME = 8192

/** Bytes that a cell costs, with its count. */
export const CELL_COST_BYTES = 17.5
/** Bytes that a difference costs in a descent: 145 at a thousand of them in a million records, 92 at ten thousand. */
export const DESCENT_COST_BYTES = 150
/** And before that, for any number: the subtrees of the second level. */
export const DESCENT_BASE_BYTES = KIB
/** Bytes that a record costs in a list: its fingerprint, and its bit of the answer. */
export const LIST_COST_BYTES = 4.125
/** Share of the larger set above which a difference is not looked for: lists of everything are compared, in order. */
export const STREAM_ABOVE = 0.3

/**
 * And above so many: a descent keeps all of them open at once, some 128 bytes each on the wire and in memory, and ranges of a
 * stream are bounded.
 */
export const MAX_DESCENT_DIFFERENCES = 65_536

/** Differences above which a descent begins at the third level instead of the second: 16 KiB then save a round trip. */
export const DEEP_START_ABOVE = 64
export const SHALLOW_STEP = 2
export const DEEP_STEP = 3
/** Records of a subtree that is listed instead of looked into: those of one bucket. */
export const LIST_UP_TO = MAX_BUCKET_RECORDS
/** Fingerprints of one turn that may be spent on looking further down than needed, to save round trips. */
export const LOOK_AHEAD_BYTES = 4 * KIB
/** Subtrees of all groups of a turn, where groups look further down than one digit. Twice what LOOK_AHEAD_BYTES gives, and a deep start. */
export const MAX_LOOK_AHEAD = 4096

/** Records of the subtrees of a stream, on average, so that no list of hashed keys comes near MAX_LIST. */
export const STREAM_LIST_RECORDS = 2048
/**
 * Records of both sides in one range of a stream: half a megabyte of fingerprints at most. A session that breaks off lists one range
 * again; no record is sent again that has been taken in.
 */
export const RANGE_RECORDS = 131_072

/** Turns of a session, of both sides together: a descent by 3 digits a turn ends well before. */
export const MAX_TURNS = 16
/** Bytes and frames that a turn is held with until it has ended: a descent of MAX_DESCENT_DIFFERENCES, and twice a range of a stream. */
export const MAX_TURN_BYTES = 16 * MIB
export const MAX_TURN_FRAMES = 128
/** For a stream, one more turn for each so many records of both sides: twice what its ranges take. */
export const RECORDS_PER_STREAM_TURN = 65_536
/** Bytes of a session without its records, both ways: this, */
export const SESSION_BASE_BYTES = 64 * KIB
/** and this for each record of either side: a list of everything and its answer. */
export const SESSION_BYTES_PER_RECORD = 5
/** Records of the other side that count for it: what it says of itself is worth 80 MiB at most; a larger set comes in several sessions. */
export const MAX_COUNTED_RECORDS = 2 ** 24

/**
 * Records that come although they are here: two sessions at once, or fingerprints that met by chance. More are a peer that
 * sends again what it has sent.
 */
export const MAX_HELD_RECORDS = 1024
