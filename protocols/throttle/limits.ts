import { GIB, KIB, MIB, SECOND_MS } from '../../base/index.ts'

/** Largest piece that gets a turn: small enough that nobody waits long behind it, large enough to cost little. */
export const MAX_SLICE_BYTES = 64 * KIB
/** Smallest one: with a small burst a piece is a quarter of it. */
export const MIN_SLICE_BYTES = 16 * KIB
/** Largest burst; a level in millionths of a byte then stays exact in a double. */
export const MAX_BURST_BYTES = 4 * GIB
/**
 * A bucket holds at least this much time's worth of its rate: a timer that fires late by less loses nothing, so that
 * who asks for more than the rate gets all of it.
 */
export const MIN_BURST_MS = SECOND_MS / 10
/** Pieces of one peer that wait for their turn: each of its streams has one, in each class. */
export const MAX_WAITING_PER_PEER = 32
/** Pieces of all peers that wait; beyond it BUSY. */
export const MAX_WAITING = 1024
/** When to come again after that. */
export const BUSY_RETRY_MS = SECOND_MS
/** Peers whose buckets are remembered when they are gone, so that a new connection brings no new burst; 300 bytes each. */
export const MAX_KNOWN_PEERS = 4096
/** Least rate: one answer of 1 MiB takes 32 s at it, and the asker waits for 60. */
export const MIN_RATE_BYTES = 32 * KIB
/** What a class gets of the pieces while it has some that could go: one twentieth. */
export const RESERVED_PART = 20
/** How far a class that had more than its reserve is put back at most: it is behind others for so many pieces. */
export const MAX_RESERVE_DEBT_BYTES = (RESERVED_PART * MIB) / 16
