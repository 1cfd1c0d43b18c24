/** Tells connected peers which libraries are watched here, so that they tell the heads of these as they change. */
import { peerIdFromString } from '@libp2p/peer-id'
import {
  type Clock,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  retry,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import type { HeadExchange } from '../../protocols/index.ts'
import type { Network } from './network.ts'

/** Peers that are told which libraries are watched; the others are asked when a library is due. */
const MAX_WATCHED_PEERS = 64
/** They are told again: a peer that began to follow a library meanwhile then tells of it. */
const WATCH_AGAIN_MS = 10 * MINUTE_MS
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
  /** A peer was told, or could not be. */
  onTold(): void
}

export interface WatchingOptions {
  /** Ids of the libraries that a peer may know of. */
  librariesFor(peer: string): Promise<Uint8Array[]>
  /** Peer ids of their writers, which are told whoever else is connected. */
  writers: ReadonlySet<string>
}

/** Tells those who are connected, those who come, and all of them again now and then, until the signal ends it. */
export async function watchLibraries(
  modules: WatchingModules,
  options: WatchingOptions,
  signal: AbortSignal
): Promise<void> {
  const { network, clock } = modules
  const chosen = (): string[] => peersToWatch(network.connected(), options.writers)
  const stop = network.onConnected(peer => {
    if (chosen().includes(peer)) void tell(modules, peer, options, signal)
  })
  try {
    while (!signal.aborted) {
      await Promise.all(chosen().map(peer => tell(modules, peer, options, signal)))
      await clock.wait(WATCH_AGAIN_MS, signal).catch(() => undefined)
    }
  } finally {
    stop()
  }
}

/** Writers first: they know of every change. Exported for tests. */
export function peersToWatch(connected: readonly string[], writers: ReadonlySet<string>): string[] {
  const { told = [], others = [] } = Object.groupBy(connected, peer =>
    writers.has(peer) ? 'told' : 'others'
  )
  return [...told, ...others].slice(0, MAX_WATCHED_PEERS)
}

async function tell(
  { heads, network, clock, logger, onTold }: WatchingModules,
  peer: string,
  { librariesFor }: WatchingOptions,
  signal: AbortSignal
): Promise<void> {
  try {
    const libraries = await librariesFor(peer)
    await retry(() => heads.watch(peerIdFromString(peer), libraries, signal), WATCH_RETRY, {
      clock,
      signal,
      retryable: () => !signal.aborted && network.connected().includes(peer)
    })
  } catch (thrown) {
    const { code } = toCatalogError(thrown)
    if (!signal.aborted) logger.debug({ peer, code }, 'a peer could not be asked for heads')
  }
  onTold()
}
