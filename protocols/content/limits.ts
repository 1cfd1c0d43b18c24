import { KIB, MIB, SECOND_MS } from '../../base/index.ts'

/** Bytes of chunks and manifest pages in one answer: large enough to keep a disk and a link busy, small enough to hold. */
export const MAX_ANSWER_BYTES = MIB
/** Tree nodes in one answer. Their sizes are known to nobody before they are read: 64 of 41 KiB are 2.6 MiB at most. */
export const MAX_ANSWER_NODES = 64
/** Blocks in one answer: a header of 12 KiB; files of 1 KiB then still fill an answer. Also in messages.proto. */
export const MAX_ANSWER_BLOCKS = 1024
/** Runs in one request; also in messages.proto. */
export const MAX_RUNS = 256
/** A request: 256 runs of at most 34 bytes, and its id. */
export const MAX_RANGE_MESSAGE_BYTES = 10 * KIB
/** A CID and a traceparent. */
export const MAX_OPEN_BYTES = KIB
/** 1,024 blocks of at most 14 bytes, code and message. */
export const MAX_ANSWER_HEADER_BYTES = 20 * KIB

/** Bytes of a map of what a partial holder has: 65,536 units, so a mebibyte each for releases of up to 64 GiB. */
export const MAX_MAP_BYTES = 8 * KIB
/** How often a partial holder is asked what it has by now. */
export const MAP_EVERY_MS = 500

/** Requests a client keeps in flight on one stream: 8 MiB, the product of 200 MB/s and 40 ms. */
export const REQUEST_WINDOW = 8
/** Requests a server queues for one stream. More are answered BUSY. */
export const MAX_PIPELINED = 16
/** Requests beyond that, waiting for their BUSY; a server that holds so many reads no further. */
export const MAX_REFUSED_QUEUED = 16
/** Streams of one peer: several releases at once, and one that is being replaced. */
export const MAX_STREAMS_PER_PEER = 8
/** Streams of all peers: each holds an answer of up to 3.6 MiB, mostly far less. */
export const MAX_STREAMS = 64
/**
 * Answers in memory for one peer, in the streams or on their way there: enough for a stream at full speed and others
 * beside it. A peer that never reads has 4 MiB of ours then, 15 MiB where all are tree nodes and chunks, on however many
 * streams it asks.
 */
export const MAX_ANSWERS_PER_PEER = 4
/** Answers in memory for all peers: 48 MiB of chunks, whoever reads how slowly; twice what a link and a disk keep on their way. */
export const MAX_ANSWERS_HELD = 48
/** Answers read before their turn, over all peers: as many as streams that a disk of two cores can keep busy at once. */
export const MAX_ANSWERS_AHEAD = 8
/** Answers up to this size are copied out of their place: copying costs less than the place would be missed. */
export const MAX_COPIED_ANSWER_BYTES = 64 * KIB
/** Buffers kept to be used again: those of two streams at full speed, of each one answer on its way, one ahead, one unread. */
export const MAX_KEPT_ANSWER_BUFFERS = 6
/** When to come again after BUSY. */
export const BUSY_RETRY_MS = 500

/** An inbound stream without a valid Open is reset after this. */
export const OPEN_DEADLINE_MS = 2 * SECOND_MS
/** A stream on which nothing is asked for so long is closed. */
export const IDLE_MS = 60 * SECOND_MS
/** A peer that does not take one answer in this time (17 KB/s) is cut off: it holds a slot and megabytes. */
export const SLOW_READER_MS = 60 * SECOND_MS
/** How often the time-outs are looked at. */
export const TICK_MS = 500

/** Decoded nodes and pages the server keeps to find blocks by position. */
export const RESOLVER_CACHE_BYTES = 16 * MIB

/** Time for dialling and opening a stream. */
export const OPEN_STREAM_MS = 10 * SECOND_MS
/** Not one byte for so long, with requests open: the source is silent. */
export const SILENT_MS = 10 * SECOND_MS
/** One answer may take so long altogether: a source that trickles is not worth waiting for. */
export const ANSWER_MS = 60 * SECOND_MS
