/** Tells connected peers which libraries are watched here, so that they tell the heads of these as they change. */
import { peerIdFromString } from '@libp2p/peer-id'
import {
  type Clock,
  changedWithin,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  retry,
  SECOND_MS,
  type Signpost,
  toCatalogError
} from '../../base/index.ts'
import type { HeadExchange } from '../../protocols/index.ts'
import type { Network } from './network.ts'

/** Peers that are told which libraries are watched; the others are asked when a library is due. */
const MAX_WATCHED_PEERS = 64
/** They are told again: a peer that began to follow a library meanwhile then tells of it. */
const WATCH_AGAIN_MS = 10 * MINUTE_MS
/** Between two changes that they are told of: as often as a peer takes it for long (WATCH_RATE). */
const WATCH_PAUSE_MS = 10 * SECOND_MS
/** A connection that has just come may be one that goes, or not be ready for streams. */
const WATCH_RETRY: RetryPolicy = {
  attempts: 4,
  firstDelayMs: SECOND_MS,
  maxDelayMs: MINUTE_MS,
  factor: 4,
  jitter: 0.5
}

export interface WatchingModules {
  heads: Pick<HeadExchange, 'watch'>
  network: Pick<Network, 'connected' | 'onConnected'>
  clock: Clock
  logger: Logger
  /** A peer was told and has answered, its heads are judged; or that has failed. */
  onTold(peer: string, isAnswered: boolean): void
}

export interface WatchingOptions {
  /** Ids of the libraries that a peer may know of. */
  librariesFor(peer: string): Promise<Uint8Array[]>
  /** Whether a peer is the writer of one; those are told whoever else is connected. */
  isWriter(peer: string): boolean
  /** Shown when other libraries are to be watched. */
  changed: Signpost
}

/** Tells those who are connected, those who come, and all of them again after a change and now and then, until the signal ends it. */
export async function watchLibraries(
  modules: WatchingModules,
  options: WatchingOptions,
  signal: AbortSignal
): Promise<void> {
  const { network, clock } = modules
  // What is told before a change must not come behind what is told after it.
  let round = new AbortController()
  const tellOne = (peer: string): Promise<void> =>
    tell(modules, peer, options, AbortSignal.any([signal, round.signal]))
  const chosen = (): string[] => peersToWatch(network.connected(), options.isWriter)
  const stop = network.onConnected(peer => {
    if (chosen().includes(peer)) void tellOne(peer)
  })
  let told: Promise<unknown> = Promise.resolve()
  try {
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      // Before the libraries are looked up: what changes after it is not missed.
      const changed = options.changed.shown()
      told = Promise.all(chosen().map(tellOne))
      if (!isFirst) await clock.wait(WATCH_PAUSE_MS, signal)
      await changedWithin(changed, WATCH_AGAIN_MS, { clock, signal })
      round.abort()
      round = new AbortController()
      await told
    }
  } finally {
    stop()
    await told
  }
}

/** Writers first: they know of every change. Exported for tests. */
export function peersToWatch(connected: readonly string[], isWriter: WatchingOptions['isWriter']): string[] {
  const { told = [], others = [] } = Object.groupBy(connected, peer => (isWriter(peer) ? 'told' : 'others'))
  return [...told, ...others].slice(0, MAX_WATCHED_PEERS)
}

async function tell(
  { heads, network, clock, logger, onTold }: WatchingModules,
  peer: string,
  { librariesFor }: WatchingOptions,
  signal: AbortSignal
): Promise<void> {
  let isAnswered = false
  try {
    const libraries = await librariesFor(peer)
    await retry(() => heads.watch(peerIdFromString(peer), libraries, signal), WATCH_RETRY, {
      clock,
      signal,
      retryable: () => !signal.aborted && network.connected().includes(peer)
    })
    isAnswered = true
  } catch (thrown) {
    const { code } = toCatalogError(thrown)
    if (!signal.aborted) logger.debug({ peer, code }, 'a peer could not be asked for heads')
  }
  onTold(peer, isAnswered)
}
