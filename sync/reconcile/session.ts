/**
 * A session: two nodes make their copies of one library equal. The *initiator* speaks first, then both take turns; a turn is any
 * number of frames with records, and then frames of one kind, which says what comes next:
 *
 *   initiator  hello    root, size, the first cells of its sketch
 *   responder  fin      the roots are equal: done
 *              want     the cells showed everything: it has sent its records and asks for those it lacks
 *              sketch   they did not: its own sketch, as long as the difference needs
 *              descend  or that would cost more than to compare the tries, or lists of everything
 *              changes  or the hello named a head, and what has changed since is known: it has sent the records (changes.ts)
 *   initiator  want     after a sketch: what it showed, and how much it did not show
 *   both       descend  until no group is open; in a stream, range after range
 *   both       fin      the root once everything has been taken in. Where they differ the responder opens one comparison of the
 *                       whole tries, and where they differ after it the session has failed (SYNC_DIVERGED)
 *
 * Everything is a function of the session's state, the own set and what comes in. Whoever drives it hands each message
 * to `receive`, and records to `admitRecords` as well; when a turn has ended and what was admitted is in the set, `reply` says what to
 * send. An error ends the session; whoever drives it tells the other side. Whatever that does, turns and bytes are bounded.
 */
import { CatalogError } from '../../base/index.ts'
import { encodeSyncMessage, errorOfStatus, type SyncMessage } from '../../protocols/index.ts'
import type { Sketch, SketchedRecord } from '../sketch/index.ts'
import type { TreeChange, TreeView } from '../trie/index.ts'
import { type Arrivals, type Arrived, judgeArrivals, NO_ARRIVALS } from './arrivals.ts'
import type { Comparison, OpenGroup } from './descent.ts'
import {
  MAX_COUNTED_RECORDS,
  MAX_TURN_BYTES,
  MAX_TURN_FRAMES,
  MAX_TURNS,
  RECORDS_PER_STREAM_TURN,
  SESSION_BASE_BYTES,
  SESSION_BYTES_PER_RECORD
} from './limits.ts'
import type { Range, Sizes, Way } from './plan.ts'

export interface SessionOptions {
  readonly library: Uint8Array
  /** Peer ids of both sides. */
  readonly initiator: Uint8Array
  readonly responder: Uint8Array
  /** Revision of the own head; it is only told. */
  readonly revision: number
  /** Epoch of the own head: an initiator whose set is that of the writer's head gives it to be told what has changed since. */
  readonly epoch?: number
  /** Sent with the hello of an initiator. */
  readonly traceparent?: string
  /** What has changed since the head that the hello names, as a responder knows it; undefined = it does not. */
  readonly changes?: readonly TreeChange[]
  /** The first cells of the sketch of the own set, as it is when the session begins. */
  readonly sketch: (cellCount: number) => Sketch
  /** Unforeseeable bytes. */
  readonly random: (bytes: number) => Uint8Array
}

/** A comparison of tries that is going on. */
export interface Descent extends Comparison {
  readonly range: Range
  readonly isStream: boolean
  /** The own groups that wait for an answer. */
  readonly open: readonly OpenGroup[]
}

export type Phase =
  | { readonly kind: 'waiting' | 'greeted' | 'sketched' | 'asked' | 'finishing' | 'ended' }
  | { readonly kind: 'descending'; readonly descent: Descent }

type Role = 'initiator' | 'responder'
type Closing = Exclude<SyncMessage['kind'], 'records' | 'abort' | 'head'>

/** What may end a turn of the other side. */
const CLOSINGS: { readonly [P in Phase['kind']]: Readonly<Record<Role, readonly Closing[]>> } = {
  waiting: { initiator: [], responder: ['hello'] },
  greeted: { initiator: ['fin', 'want', 'sketch', 'descend', 'changes'], responder: [] },
  sketched: { initiator: [], responder: ['want'] },
  asked: { initiator: ['fin', 'descend'], responder: ['fin'] },
  descending: { initiator: ['descend', 'fin'], responder: ['descend', 'fin'] },
  finishing: { initiator: ['fin', 'descend'], responder: ['fin'] },
  ended: { initiator: [], responder: [] }
}

/** The turn of the other side, as far as it has come. */
interface Turn extends Arrived {
  readonly messages: readonly SyncMessage[]
  /** Of these messages. */
  readonly bytes: number
  readonly hasEnded: boolean
}

/** The state of a session. Only functions of this folder look inside. */
export interface Session {
  readonly role: Role
  readonly options: SessionOptions
  readonly phase: Phase
  readonly sizes: Sizes
  /** Of the initiator. */
  readonly nonce: Uint8Array
  /** Records that may come in the turn of the other side. */
  readonly expected: Arrivals
  readonly turn: Turn
  /** Turns of both sides, and bytes without records both ways. */
  readonly turns: number
  readonly bytes: number
  /** Whether everything is listed, in order. */
  readonly isStream: boolean
  /** Whether roots differed once after everything had been exchanged. */
  readonly hasDiverged: boolean
  /** How the initiator has come to know of differences. */
  readonly way: SyncWay | undefined
}

/** How differences became known: the last way that was gone, where one did not show everything. */
export type SyncWay = 'log' | Way['kind']

/** What a side does next. */
export interface SessionStep {
  readonly session: Session
  /** Records to send, by trieKey; they are read from the set as they are asked for. */
  readonly records: Iterable<SketchedRecord>
  /** What to send behind them. */
  readonly frames: readonly Uint8Array[]
  /** Whether both sets are equal now; the session has then ended, once the frames are sent. */
  readonly isEqual: boolean
}

const NEW_TURN: Omit<Turn, 'held'> = {
  messages: [],
  bytes: 0,
  hasEnded: false,
  lastKey: undefined,
  unasked: 0
}

/** A session that nothing has been said in. */
export function newSession(role: Role, view: TreeView, options: SessionOptions, nonce: Uint8Array): Session {
  return {
    role,
    options,
    phase: { kind: 'waiting' },
    sizes: { mine: view.top?.count ?? 0, theirs: 0 },
    nonce,
    expected: NO_ARRIVALS,
    turn: { ...NEW_TURN, held: 0 },
    turns: 0,
    bytes: 0,
    isStream: false,
    hasDiverged: false,
    way: undefined
  }
}

/**
 * Takes a message in; `hasTurn` says that it is now this side's turn. Throws PROTOCOL_VIOLATION for what does not belong here,
 * LIMIT_EXCEEDED beyond the bounds of a session, and for an abort the error that the other side named.
 */
export function receive(
  session: Session,
  message: SyncMessage,
  sizeBytes: number
): { session: Session; hasTurn: boolean } {
  const { role, phase, turn } = session
  if (message.kind === 'abort') throw errorOfStatus(message.body, 'the other side')
  if (turn.hasEnded) throw refused('a message out of turn')
  if (message.kind === 'records') {
    if (turn.messages.length > 0) throw refused('records behind what ends a turn')
    return { session, hasTurn: false }
  }
  const kind = turn.messages[0]?.kind ?? message.kind
  if (message.kind !== kind || !CLOSINGS[phase.kind][role].some(closing => closing === kind))
    throw refused(`${message.kind} while it is ${phase.kind}`)
  const hasEnded = !('more' in message.body && message.body.more)
  const heard = {
    ...session,
    sizes: { ...session.sizes, theirs: toldRecords(message) ?? session.sizes.theirs },
    turn: { ...turn, messages: [...turn.messages, message], bytes: turn.bytes + sizeBytes, hasEnded },
    turns: session.turns + (hasEnded ? 1 : 0),
    bytes: session.bytes + sizeBytes
  }
  checkBounds(heard)
  return { session: heard, hasTurn: hasEnded }
}

/** How many records the other side says it has. */
function toldRecords(message: SyncMessage): number | undefined {
  if (message.kind === 'hello' || message.kind === 'sketch') return message.body.records
  return message.kind === 'descend' ? message.body.opening?.records : undefined
}

/**
 * Judges the records of a message before anything else is done with them; `view` is the own set as it is now. `isNew` says for each
 * whether it is to be verified and taken in. Throws PROTOCOL_VIOLATION for a record that must not come.
 */
export function admitRecords(
  session: Session,
  view: TreeView,
  records: readonly SketchedRecord[]
): { session: Session; isNew: boolean[] } {
  const { arrived, isNew } = judgeArrivals({ expected: session.expected, view }, session.turn, records)
  return { session: { ...session, turn: { ...session.turn, ...arrived } }, isNew }
}

/** How an initiator has come to know of differences; undefined while there were none. */
export const wayOf = ({ way }: Session): SyncWay | undefined => way

/** Whether tries are being compared: what a responder spends most on. */
export const isComparing = ({ phase }: Session): boolean => phase.kind === 'descending'

/** What is said in a turn, and what may come after it. */
export interface Speech {
  readonly messages: readonly SyncMessage[]
  readonly records?: Iterable<SketchedRecord>
  readonly phase: Phase
  readonly expected?: Arrivals
  readonly isEqual?: boolean
}

/** Ends the own turn. Throws LIMIT_EXCEEDED before anything is sent beyond the bounds. */
export function speak(session: Session, speech: Speech): SessionStep {
  const { messages, records = [], phase, expected = NO_ARRIVALS, isEqual = false } = speech
  const frames = messages.map(encodeSyncMessage)
  const spoken = {
    ...session,
    phase,
    expected,
    turn: { ...NEW_TURN, held: session.turn.held },
    turns: session.turns + (frames.length > 0 ? 1 : 0),
    bytes: session.bytes + frames.reduce((sum, { byteLength }) => sum + byteLength, 0)
  }
  checkBounds(spoken)
  return { session: spoken, records, frames, isEqual }
}

function checkBounds({ turns, bytes, turn, sizes, isStream }: Session): void {
  const records = sizes.mine + Math.min(sizes.theirs, MAX_COUNTED_RECORDS)
  const mostTurns = MAX_TURNS + (isStream ? Math.ceil(records / RECORDS_PER_STREAM_TURN) : 0)
  const mostBytes = SESSION_BASE_BYTES + SESSION_BYTES_PER_RECORD * records
  if (turns > mostTurns) throw exceeded(`${turns} turns, at most ${mostTurns}`)
  if (bytes > mostBytes) throw exceeded(`${bytes} bytes, at most ${mostBytes}`)
  if (turn.messages.length > MAX_TURN_FRAMES || turn.bytes > MAX_TURN_BYTES)
    throw exceeded(`a turn of ${turn.messages.length} frames and ${turn.bytes} bytes`)
}

export function refused(what: string): CatalogError {
  return new CatalogError('PROTOCOL_VIOLATION', `sync session: ${what}`)
}

const exceeded = (what: string): CatalogError => new CatalogError('LIMIT_EXCEEDED', `sync session of ${what}`)
