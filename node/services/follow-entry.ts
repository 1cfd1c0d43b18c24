import { CatalogError, type Clock, MINUTE_MS, SECOND_MS, Semaphore } from '../../base/index.ts'
import {
  awaitedFromMs,
  decodeHead,
  type FollowState,
  type Head,
  type LibrarySets,
  TOLD_AGAIN_MS,
  telling,
  yieldTime
} from '../../sync/index.ts'
import type { FollowShape } from '../sync-schemas.ts'
import type { CopyHere } from './follow-union.ts'
import { formatAddress, idOfAddress } from './library-address.ts'
import type { Subscription } from './subscription.ts'
import type { WorkContext } from './types.ts'

/** A peer that had no place for a session is not asked for any library by then: each would come too early, too. */
export const PEER_BUSY_MS = SECOND_MS
/** A library is put off by so much at most, whatever the peer says. Honest ones compare large libraries once a minute. */
const MAX_PUT_OFF_MS = MINUTE_MS
/** A session of the library, and bundles of it that come one after the other; what is more waits for the next session. */
const MAX_WAITING_UNIONS = 4

/** A subscription, and what has happened with it. */
export interface FollowEntry {
  subscription: Subscription
  /** Id of the library. */
  readonly library: Uint8Array
  state: FollowState
  /** Root of the copy when all of it had joined home. */
  joinedRoot?: string
  /** Ends what joins home by the subscription, when another one takes its place. */
  joining?: AbortController
  /** One at a time: sessions and files bring copies independently of each other. */
  readonly unions: Semaphore
  /** A copy that a file has brought, of which nothing was done yet. */
  imported?: CopyHere
  /** Code of the last failure; undefined after a success. */
  lastError?: string | undefined
  /** When that was. */
  failedAtMs: number
  /** Sessions that have begun, how many found it equal, and the number of the last one that failed. */
  begun: number
  equal: number
  lastFailed: number
  /** How often peers were busy since the last session that succeeded or failed. */
  putOffs: number
  /** Ends the session that is under way, for another one. */
  cut: AbortController
  /** Ends what is under way when the library is followed no more. */
  readonly ending: AbortController
  /** Sessions and searches that are under way. */
  readonly tasks: Set<Promise<void>>
  /** Before it other holders are not looked for. */
  searchFromMs: number
}

/** Due at once. */
export function entryOf(subscription: Subscription): FollowEntry {
  const library = idOfAddress(subscription)
  const { writer } = subscription
  const state = {
    library: textOf(library),
    writer,
    runningWith: undefined,
    yieldsFromMs: Number.POSITIVE_INFINITY
  }
  return {
    subscription,
    library,
    unions: new Semaphore({ name: 'unions of a library', maxActive: 1, maxWaiting: MAX_WAITING_UNIONS }),
    failedAtMs: 0,
    begun: 0,
    equal: 0,
    lastFailed: 0,
    putOffs: 0,
    cut: new AbortController(),
    ending: new AbortController(),
    tasks: new Set(),
    searchFromMs: 0,
    state: {
      ...state,
      dueMs: 0,
      notBeforeMs: 0,
      staleFromMs: 0,
      newerAt: new Map(),
      heldBy: new Set(),
      failedWith: []
    }
  }
}

/**
 * Before when nothing is compared, now that a peer tells a newer head. Who said that it does not have the library has it after all, as when
 * this node was let in: it is asked soon, however often that was in vain.
 */
export function notBeforeTold({ state, lastError, failedAtMs }: FollowEntry, peer: string): number {
  const { notBeforeMs, failedWith } = state
  const isNewThere = lastError === 'NOT_FOUND' && failedWith.at(-1) === peer
  return isNewThere ? Math.min(notBeforeMs, failedAtMs + TOLD_AGAIN_MS) : notBeforeMs
}

/** A session begins: the signal cuts it when it yields, which what comes in it puts off. */
export function paceSession(entry: FollowEntry, clock: Clock): WorkContext {
  const beganMs = clock.now()
  const pace = (bytes: number): void => {
    entry.state = { ...entry.state, yieldsFromMs: yieldTime(beganMs, entry.state, bytes) }
  }
  entry.cut = new AbortController()
  pace(0)
  const progress: WorkContext['progress'] = ({ bytesDone }) => {
    if (bytesDone !== undefined) pace(bytesDone)
  }
  return { signal: entry.cut.signal, progress }
}

/** Ends a session that yields. */
export function cutSession(entry: FollowEntry): void {
  const { runningWith } = entry.state
  entry.state = { ...entry.state, yieldsFromMs: Number.POSITIVE_INFINITY }
  entry.cut.abort(
    new CatalogError('TIMEOUT', `a session with ${runningWith} takes long, and others wait for its place`)
  )
}

/** Whether a head is newer than that of the copy here. */
export async function isNewer(sets: Pick<LibrarySets, 'headOf'>, head: Head): Promise<boolean> {
  const bytes = await sets.headOf(head.library)
  if (bytes === undefined || bytes.byteLength === 0) return true
  const have = decodeHead(bytes)
  return head.epoch === have.epoch ? head.revision > have.revision : head.epoch > have.epoch
}

/** Until when nothing is compared after somebody was busy; what a peer had told is waited for as before. */
export function putOff(
  { newerAt }: FollowState,
  { peer, error, isTold }: { peer: string; error: CatalogError; isTold: boolean },
  nowMs: number
): Partial<FollowState> {
  const { retryAfterMs } = error.details ?? {}
  const askedMs = typeof retryAfterMs === 'number' ? retryAfterMs : 0
  const againMs = nowMs + Math.min(Math.max(askedMs, PEER_BUSY_MS), MAX_PUT_OFF_MS)
  return {
    runningWith: undefined,
    dueMs: againMs,
    notBeforeMs: againMs,
    newerAt: isTold ? telling(newerAt, peer, nowMs) : newerAt
  }
}

/** Whether a failure is that of a library that is not for everybody and was to join home, which is: so it is with whomever, for good. */
export const isRefused = ({ mode }: Subscription, code: string): boolean =>
  mode === 'union' && code === 'NOT_PERMITTED'

/** How it goes. When it is compared next is known once it has been. */
export function shapeOf({ subscription, state, lastError }: FollowEntry): FollowShape {
  const { runningWith, failedWith, dueMs } = state
  const isRunning = runningWith !== undefined
  return {
    ...subscription,
    address: formatAddress(subscription),
    state: isRunning ? 'running' : failedWith.length > 0 ? 'failing' : 'waiting',
    ...(isRunning || dueMs === 0 ? {} : { nextAt: new Date(dueMs).toISOString() }),
    ...(lastError === undefined ? {} : { error: lastError })
  }
}

/** By which an entry is found. */
export const textOf = (library: Uint8Array): string => Buffer.from(library).toString('hex')

/** When a peer has something newer that a session has refused as dated ahead; undefined when it has not, or much later. */
export function countsFromMs({ code, details }: CatalogError, nowMs: number): number | undefined {
  const datedMs = code === 'RECORD_EARLY' ? details?.datedMs : undefined
  return typeof datedMs === 'number' ? awaitedFromMs(datedMs, nowMs) : undefined
}
