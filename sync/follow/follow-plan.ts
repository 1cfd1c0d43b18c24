/**
 * When followed libraries are compared with whom. Pure: what is known of each subscription comes in, and what to run now and when to
 * look again goes out.
 *
 * A library is compared at once when a peer tells a head that is newer than the copy, and else at its next time: the interval after the
 * last success, or sooner, and later each time, after a failure. Of a head that is dated ahead nothing is believed before it counts; but then the
 * library is compared at once, too. The peer is who told the newer head, the writer itself, or another peer that has the library, in this
 * order, of several the one that the caller would ask first, those that failed last behind the others; once one has failed, a connected writer that has not comes first. A writer that is not connected may be found; it comes behind connected peers that have the
 * library, but for a copy that it should have signed again meanwhile: those peers may all be as old as the copy.
 *
 * A peer serves few sessions of one other, so no more are begun with it. A library whose peer has none left is compared with another
 * one that is as good, or waits.
 *
 * A peer that sends slowly breaks no rule: a few of them would have all sessions of this node for as long as one may take. So a session
 * that takes long for what it brings yields, to another library that is due or to another peer that has the same one: it is cut, which
 * counts as a failure of its peer. Each time the next one may take twice as long, so that a large library comes over a bad link, too.
 */
import { DAY_MS, KIB, MINUTE_MS, type RetryPolicy, SECOND_MS } from '../../base/index.ts'
import { timelyFromMs } from '../../library/index.ts'
import { MAX_SESSIONS_PER_PEER } from '../../protocols/index.ts'
import { HEAD_LIFETIME_MS, RENEW_AFTER_MS } from '../heads/index.ts'

/** What happened with one subscription so far. */
export interface FollowState {
  /** Tells it from the others. */
  readonly library: string
  /** Peer id of the node whose library it is. */
  readonly writer: string
  /** The peer that it is being compared with; undefined when it is not. */
  readonly runningWith: string | undefined
  /** From when that session yields; infinity when what is done takes nobody's time. */
  readonly yieldsFromMs: number
  /** When it is compared next, whatever is heard. */
  readonly dueMs: number
  /** Not before, whatever is heard: a peer that fails again and again costs no more. */
  readonly notBeforeMs: number
  /** When a writer that is not away has signed a newer head than that of the copy; 0 = nothing is known of the copy. */
  readonly staleFromMs: number
  /** Peers that told a head newer than the copy, and from when it counts. */
  readonly newerAt: ReadonlyMap<string, number>
  /** Other peers that have the library. */
  readonly heldBy: ReadonlySet<string>
  /** Whom the last failures were with, the latest last. */
  readonly failedWith: readonly string[]
}

export interface FollowRun {
  readonly library: string
  readonly peer: string
}

export interface FollowPlan {
  readonly runs: readonly FollowRun[]
  /** Libraries whose sessions are cut: a place that comes free is given away the next time. */
  readonly cuts: readonly string[]
  /** When something is due next; infinity when nothing is. */
  readonly nextMs: number
}

interface Now {
  readonly nowMs: number
  readonly connected: ReadonlySet<string>
  /** Peers that have no place for a session, and until when nothing is begun with them. */
  readonly busyUntilMs: ReadonlyMap<string, number>
  /** Puts peers that are as good for a library in order, best first; as they are unless given. */
  readonly order?: (peers: readonly string[]) => readonly string[]
}

/** Sessions of subscriptions at once. */
export const MAX_RUNS = 4
/** Peers that are remembered to have a library: over months many tell of it, and few are still there. */
export const MAX_TELLERS = 64
/** A head that counts later than that is waited for by nobody: such a clock is set right before. */
export const MAX_AHEAD_MS = DAY_MS
/** After a failure: at once with another peer or after a cut stream, then later and later, up to the interval. */
export const FAILED: Omit<RetryPolicy, 'maxDelayMs'> = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS / 2,
  factor: 4,
  jitter: 0.5
}
/** What a peer says makes this node compare a library again no sooner after a failure than that. */
export const TOLD_AGAIN_MS = 5 * SECOND_MS
/** A session is left alone for so long, whatever it brings, */
const FIRST_PATIENCE_MS = 2 * MINUTE_MS
/** after failures longer, and no longer than that: 10,000 records, which are kept whatever becomes of it, then come over 6 KB/s; */
const MAX_PATIENCE_MS = 8 * MINUTE_MS
/** and as long as it brings so much. */
const SLOW_BYTES_PER_S = 32 * KIB
/** The interval is shortened by up to this share, so that those who began together do not go on together. */
const INTERVAL_JITTER = 0.2

/** Peers with one more, of which the last are kept. */
export const including = (peers: ReadonlySet<string>, peer: string): ReadonlySet<string> =>
  new Set([...[...peers].filter(other => other !== peer), peer].slice(-MAX_TELLERS))

/** The same for peers that told a newer head, each with the time from which its last one counts. */
export const telling = (
  newerAt: ReadonlyMap<string, number>,
  peer: string,
  fromMs: number
): ReadonlyMap<string, number> =>
  new Map([...[...newerAt].filter(([other]) => other !== peer), [peer, fromMs] as const].slice(-MAX_TELLERS))

/** Those that are left to be asked when a session with a peer begins: it shows all that counts by now. */
export const tellingBeside = (
  newerAt: ReadonlyMap<string, number>,
  peer: string,
  nowMs: number
): ReadonlyMap<string, number> =>
  new Map([...newerAt].filter(([other, fromMs]) => other !== peer || fromMs > nowMs))

/** From when what is dated so is worth asking for; undefined when that is too far ahead to be waited for. */
export function awaitedFromMs(datedMs: number, nowMs: number): number | undefined {
  const fromMs = timelyFromMs(datedMs)
  return fromMs <= nowMs + MAX_AHEAD_MS ? fromMs : undefined
}

/** When a library is compared again after a success; `random` is uniform in [0, 1). */
export const nextTime = (nowMs: number, intervalMs: number, random: number): number =>
  nowMs + Math.round(intervalMs * (1 - INTERVAL_JITTER * random))

/** Until when a copy is fresh whose head holds until a time. */
export const staleTime = (expiresMs: number): number => expiresMs - HEAD_LIFETIME_MS + RENEW_AFTER_MS

/** From when a session yields that began at a time and has brought so many bytes. */
export const yieldTime = (
  beganMs: number,
  { failedWith }: Pick<FollowState, 'failedWith'>,
  bytes: number
): number =>
  beganMs +
  Math.min(FIRST_PATIENCE_MS * 2 ** failedWith.length, MAX_PATIENCE_MS) +
  (bytes / SLOW_BYTES_PER_S) * SECOND_MS

export function planFollows(states: readonly FollowState[], now: Now): FollowPlan {
  const { nowMs, connected, busyUntilMs } = now
  const running = states.flatMap(({ runningWith }) => runningWith ?? [])
  const sessions = new Map<string, number>()
  const count = (peer: string): unknown => sessions.set(peer, (sessions.get(peer) ?? 0) + 1)
  running.forEach(count)
  const hasPlace = (peer: string): boolean =>
    (sessions.get(peer) ?? 0) < MAX_SESSIONS_PER_PEER && !(nowMs < (busyUntilMs.get(peer) ?? 0))
  const timed = states
    .filter(({ runningWith }) => runningWith === undefined)
    .map(state => ({ state, atMs: timeOf(state, connected) }))
    .sort((a, b) => a.atMs - b.atMs)
  const runs: FollowRun[] = []
  // Libraries whose peers have places, while this node has none.
  let waiting = 0
  for (const { state, atMs } of timed) {
    if (atMs > nowMs) break
    const peer = choicesFor(state, now).find(hasPlace)
    if (peer === undefined) continue
    count(peer)
    if (running.length + runs.length < MAX_RUNS) runs.push({ library: state.library, peer })
    else waiting++
  }
  const later = [
    ...timed.map(({ atMs }) => atMs),
    ...busyUntilMs.values(),
    ...states.flatMap(({ runningWith, yieldsFromMs }) => (runningWith === undefined ? [] : yieldsFromMs))
  ].filter(atMs => atMs > nowMs)
  return {
    runs,
    cuts: cutsOf(states, waiting, now),
    nextMs: later.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY)
  }
}

/** Sessions that yield to another peer, and of the others as many as libraries wait, that which is overdue longest first. */
function cutsOf(states: readonly FollowState[], waiting: number, now: Now): string[] {
  const overdue = states
    .filter(({ runningWith, yieldsFromMs }) => runningWith !== undefined && yieldsFromMs <= now.nowMs)
    .sort((a, b) => a.yieldsFromMs - b.yieldsFromMs)
  const [better, others] = [true, false].map(has => overdue.filter(state => hasOther(state, now) === has))
  return [...better!, ...others!.slice(0, Math.max(0, waiting - better!.length))].map(
    ({ library }) => library
  )
}

/** Whether a connected peer that is not the one it is compared with, and has not failed lately, has the newest: of holders nobody knows what they have. */
const hasOther = (
  { writer, newerAt, failedWith, runningWith }: FollowState,
  { nowMs, connected }: Now
): boolean =>
  [writer, ...[...newerAt].filter(([, fromMs]) => fromMs <= nowMs).map(([peer]) => peer)].some(
    peer => connected.has(peer) && peer !== runningWith && !failedWith.includes(peer)
  )

function timeOf({ dueMs, notBeforeMs, newerAt }: FollowState, connected: ReadonlySet<string>): number {
  let atMs = dueMs
  for (const [peer, fromMs] of newerAt) if (connected.has(peer)) atMs = Math.min(atMs, fromMs)
  return Math.max(notBeforeMs, atMs)
}

/**
 * The peer to ask, and those that serve as well where it has no place. The writer is always among those it is chosen from, so that no
 * peer that fails or is behind keeps it from being asked.
 */
function choicesFor(
  { writer, staleFromMs, newerAt, heldBy, failedWith }: FollowState,
  { nowMs, connected, order = peers => peers }: Now
): string[] {
  const near = (peers: Iterable<string>): readonly string[] =>
    order([...peers].filter(peer => connected.has(peer)))
  const isStale = nowMs >= staleFromMs
  const told = near([...newerAt].filter(([, fromMs]) => fromMs <= nowMs).map(([peer]) => peer))
  const held = [...near([writer]), ...near(heldBy)]
  const candidates = [...new Set([...told, ...(isStale ? [writer] : []), ...held, writer])]
  const failed = (peer: string): number => failedWith.lastIndexOf(peer)
  // Once one has failed: others that told the same may be no better, and keep the writer from being asked as long.
  const isWriterFirst = failedWith.length > 0 && connected.has(writer)
  const rank = (peer: string): number => (isWriterFirst && peer === writer ? 0 : 1)
  const [first, ...others] = candidates.sort((a, b) => failed(a) - failed(b) || rank(a) - rank(b))
  // A holder may be as old as a copy that is stale, or not know the newer head that was told: it would be asked in vain.
  const asGood = told.length > 0 ? told : isStale ? [] : held
  return [first!, ...others.filter(peer => asGood.includes(peer))]
}
