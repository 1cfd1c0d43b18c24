/**
 * When followed libraries are compared with whom. Pure: what is known of each subscription comes in, and what to run now and when to
 * look again goes out.
 *
 * A library is compared at once when a peer tells a head that is newer than the copy, and else at its next time: the interval after the
 * last success, or sooner, and later each time, after a failure. The peer is who told the newer head, the writer itself, or another
 * peer that has the library, in this order, those that failed last behind the others. A writer that is not connected may be found; it
 * comes behind connected peers that have the library, but for a copy that it should have signed again meanwhile: those peers may all
 * be as old as the copy.
 */
import { type RetryPolicy, SECOND_MS } from '../../base/index.ts'
import { HEAD_LIFETIME_MS, RENEW_AFTER_MS } from '../heads/index.ts'

/** What happened with one subscription so far. */
export interface FollowState {
  /** Tells it from the others. */
  readonly library: string
  /** Peer id of the node whose library it is. */
  readonly writer: string
  readonly isRunning: boolean
  /** When it is compared next, whatever is heard. */
  readonly dueMs: number
  /** Not before, whatever is heard: a peer that fails again and again costs no more. */
  readonly notBeforeMs: number
  /** When a writer that is not away has signed a newer head than that of the copy; 0 = nothing is known of the copy. */
  readonly staleFromMs: number
  /** Peers that told a head newer than the copy. */
  readonly newerAt: ReadonlySet<string>
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
  /** When something is due next; infinity when nothing is. */
  readonly nextMs: number
}

interface Now {
  readonly nowMs: number
  readonly connected: ReadonlySet<string>
}

/** Sessions of subscriptions at once. */
export const MAX_RUNS = 4
/** Peers that are remembered to have a library: over months many tell of it, and few are still there. */
export const MAX_TELLERS = 64
/** After a failure: soon, then later and later, up to the interval. */
export const FAILED: Omit<RetryPolicy, 'maxDelayMs'> = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: 5 * SECOND_MS,
  factor: 2,
  jitter: 0.5
}
/** The interval is shortened by up to this share, so that those who began together do not go on together. */
const INTERVAL_JITTER = 0.2

/** Peers with one more, of which the last are kept. */
export const including = (peers: ReadonlySet<string>, peer: string): ReadonlySet<string> =>
  new Set([...[...peers].filter(other => other !== peer), peer].slice(-MAX_TELLERS))

/** When a library is compared again after a success; `random` is uniform in [0, 1). */
export const nextTime = (nowMs: number, intervalMs: number, random: number): number =>
  nowMs + Math.round(intervalMs * (1 - INTERVAL_JITTER * random))

/** Until when a copy is fresh whose head holds until a time. */
export const staleTime = (expiresMs: number): number => expiresMs - HEAD_LIFETIME_MS + RENEW_AFTER_MS

export function planFollows(states: readonly FollowState[], { nowMs, connected }: Now): FollowPlan {
  const waiting = states.filter(({ isRunning }) => !isRunning)
  const timed = waiting
    .map(state => ({ state, atMs: timeOf(state, connected) }))
    .sort((a, b) => a.atMs - b.atMs)
  const free = MAX_RUNS - (states.length - waiting.length)
  const due = timed.filter(({ atMs }) => atMs <= nowMs).slice(0, Math.max(0, free))
  const runs = due.map(({ state }) => ({
    library: state.library,
    peer: peerFor(state, { nowMs, connected })
  }))
  const next = timed.find(({ atMs }) => atMs > nowMs)
  return { runs, nextMs: next?.atMs ?? Number.POSITIVE_INFINITY }
}

function timeOf({ dueMs, notBeforeMs, newerAt }: FollowState, connected: ReadonlySet<string>): number {
  const isTold = [...newerAt].some(peer => connected.has(peer))
  return Math.max(notBeforeMs, isTold ? 0 : dueMs)
}

/** The writer is always among them, so that no peer that fails or is behind keeps it from being asked. */
function peerFor(
  { writer, staleFromMs, newerAt, heldBy, failedWith }: FollowState,
  { nowMs, connected }: Now
): string {
  const near = (peers: Iterable<string>): string[] => [...peers].filter(peer => connected.has(peer))
  const early = nowMs >= staleFromMs ? [writer] : near([writer])
  const candidates = [...new Set([...near(newerAt), ...early, ...near(heldBy), writer])]
  const failed = (peer: string): number => failedWith.lastIndexOf(peer)
  return candidates.sort((a, b) => failed(a) - failed(b))[0]!
}
