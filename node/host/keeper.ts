import { type Connection, KEEP_ALIVE, type Libp2p, type PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import {
  backoffDelayMs,
  CatalogError,
  type Clock,
  type Logger,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS
} from '../../base/index.ts'
import { MAX_KEPT_PEERS } from './options.ts'

/**
 * How a lost peer is dialled again: after about 1 s, then 2, 4 … up to 5 minutes, half of each wait drawn at random, so
 * that the nodes of a bootstrap peer that restarts do not come back all at once. Without end: `attempts` is not used.
 */
const REDIAL: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS,
  maxDelayMs: 5 * MINUTE_MS,
  factor: 2,
  jitter: 0.5
}
/** A peer that said goodbye is first dialled after 16 to 32 s, as if so many dials had failed: it went on purpose. */
const LEFT_FAILURES = 6
/** Failures beyond which the wait grows no more; keeps the power in range. */
const MAX_COUNTED_FAILURES = 20
/** After a change of this machine's addresses a peer that is lost is dialled without a wait. */
const HURRY_MS = 30 * SECOND_MS
/** libp2p's prefix, then ours: its pruner spares tagged peers, and they are dialled first after a restart. */
const TAG = `${KEEP_ALIVE}-catalog`
/** Above any value libp2p's own tags have, so that kept peers are pruned last. */
const TAG_VALUE = 100

export interface KeeperModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  readonly log: Logger
  /** Uniform in [0, 1). */
  readonly random: () => number
  dial(address: Multiaddr, signal: AbortSignal): Promise<Connection>
  onUnreachable(address: string, failures: number, waitMs: number): void
}

interface Kept {
  readonly address: Multiaddr
  readonly controller: AbortController
  /** Whether the first dial has led to a connection. */
  readonly firstTry: PromiseWithResolvers<boolean>
  peerId: PeerId | undefined
  /** The peer said goodbye and has not been met since. */
  hasLeft: boolean
  /** Wakes the loop when the peer is lost. */
  wake: (() => void) | undefined
  /** Ends the wait before the next dial. */
  hurry: (() => void) | undefined
}

/**
 * Stays connected to chosen peers. One loop for each: dial, wait for the loss, wait a little, dial again. libp2p's
 * own reconnection is set to a single try; when that fails it drops the keep-alive tag, which is put back here.
 */
export class Keeper {
  readonly #modules: KeeperModules
  readonly #kept = new Map<string, Kept>()
  #hurriedUntilMs = Number.NEGATIVE_INFINITY

  constructor(modules: KeeperModules) {
    this.#modules = modules
  }

  /** LIMIT_EXCEEDED beyond MAX_KEPT_PEERS. */
  keep(address: Multiaddr): void {
    const key = address.toString()
    if (this.#kept.has(key)) return
    if (this.#kept.size >= MAX_KEPT_PEERS)
      throw new CatalogError('LIMIT_EXCEEDED', `at most ${MAX_KEPT_PEERS} peers are kept connected`)
    const kept: Kept = {
      address,
      controller: new AbortController(),
      firstTry: Promise.withResolvers(),
      peerId: undefined,
      hasLeft: false,
      wake: undefined,
      hurry: undefined
    }
    this.#kept.set(key, kept)
    void this.#run(kept)
  }

  /** Resolves once a kept peer has been reached, or each has been tried. */
  async tried(): Promise<void> {
    const reached = [...this.#kept.values()].map(async ({ firstTry }) => {
      if (!(await firstTry.promise))
        throw new CatalogError('DIAL_FAILED', 'a kept peer was not reached at first')
    })
    await Promise.any(reached).catch(() => undefined)
  }

  /** Forgets every address of a peer. */
  unkeepPeer(peerId: string): void {
    for (const kept of [...this.#kept.values()]) if (kept.peerId?.toString() === peerId) this.#forget(kept)
  }

  /** A peer said goodbye: it is dialled again, but not soon, and not by libp2p, which would try at once. */
  async left(peer: PeerId): Promise<void> {
    const kept = [...this.#kept.values()].filter(({ peerId }) => peerId?.equals(peer) === true)
    for (const one of kept) one.hasLeft = true
    if (kept.length > 0) await this.#setTag(peer, undefined)
  }

  /** The last connection to a peer is gone. */
  disconnected(peer: PeerId): void {
    for (const kept of this.#kept.values()) if (kept.peerId?.equals(peer) === true) kept.wake?.()
  }

  /** The way to peers may be another now: those that wait to be dialled again are dialled at once, and so are those found lost. */
  redialAll(): void {
    this.#hurriedUntilMs = this.#modules.clock.monotonicMs() + HURRY_MS
    for (const kept of this.#kept.values()) if (!kept.hasLeft) kept.hurry?.()
  }

  /** libp2p has given a peer up and dropped its tag. */
  reconnectFailed(peer: PeerId): void {
    for (const kept of this.#kept.values())
      if (kept.peerId?.equals(peer) === true && !kept.hasLeft) void this.#tag(peer)
  }

  stop(): void {
    for (const kept of this.#kept.values()) kept.controller.abort()
    this.#kept.clear()
  }

  /** Never rejects. */
  async #run(kept: Kept): Promise<void> {
    const { clock, random, log, onUnreachable } = this.#modules
    const { signal } = kept.controller
    const address = kept.address.toString()
    for (let failures = 0; !signal.aborted; ) {
      let hasFailed = false
      try {
        const connection = await this.#modules.dial(kept.address, signal)
        kept.hasLeft = false
        kept.peerId = connection.remotePeer
        await this.#tag(connection.remotePeer)
        kept.firstTry.resolve(true)
        log.info({ address, peer: connection.remotePeer.toString() }, 'connected to a kept peer')
        await this.#lost(kept)
        failures = kept.hasLeft ? LEFT_FAILURES : 0
      } catch (error) {
        kept.firstTry.resolve(false)
        if (signal.aborted) return
        failures = Math.min(failures + 1, MAX_COUNTED_FAILURES)
        log.debug({ address, failures, err: error }, 'a kept peer cannot be reached')
        hasFailed = true
      }
      if (!hasFailed && !kept.hasLeft && clock.monotonicMs() < this.#hurriedUntilMs) continue
      const waitMs = Math.round(backoffDelayMs(REDIAL, Math.max(1, failures), random()))
      if (hasFailed) onUnreachable(address, failures, waitMs)
      else if (!signal.aborted)
        log.info({ address, waitMs, saidGoodbye: kept.hasLeft }, 'a kept peer was lost')
      if (!(await this.#wait(kept, waitMs))) failures = 0
    }
  }

  /** Whether the time is up; false when somebody is in a hurry, or the loop is stopped. */
  async #wait(kept: Kept, waitMs: number): Promise<boolean> {
    const over = new AbortController()
    kept.hurry = () => over.abort()
    const signal = AbortSignal.any([kept.controller.signal, over.signal])
    const isUp = await this.#modules.clock.wait(waitMs, signal).then(
      () => true,
      () => false
    )
    kept.hurry = undefined
    return isUp
  }

  /** Resolves when no connection to the peer is left, or the loop is stopped. */
  async #lost(kept: Kept): Promise<void> {
    const { signal } = kept.controller
    const { peerId } = kept
    if (peerId === undefined || signal.aborted) return
    const lost = Promise.withResolvers<void>()
    kept.wake = lost.resolve
    signal.addEventListener('abort', kept.wake, { once: true })
    if (this.#modules.libp2p.getConnections(peerId).length === 0) lost.resolve()
    await lost.promise
    signal.removeEventListener('abort', lost.resolve as () => void)
    kept.wake = undefined
  }

  #forget(kept: Kept): void {
    kept.controller.abort()
    this.#kept.delete(kept.address.toString())
    if (kept.peerId !== undefined) void this.#setTag(kept.peerId, undefined)
  }

  async #tag(peer: PeerId): Promise<void> {
    await this.#setTag(peer, { value: TAG_VALUE })
  }

  /** Never rejects: a tag is a help, not a need. */
  async #setTag(peer: PeerId, tag: { value: number } | undefined): Promise<void> {
    try {
      await this.#modules.libp2p.peerStore.merge(peer, { tags: { [TAG]: tag } })
    } catch (error) {
      this.#modules.log.debug(
        { peer: peer.toString(), err: error },
        'could not change the tag of a kept peer'
      )
    }
  }
}

/** Removes tags that an earlier run left on peers: what is kept is decided anew at each start. */
export async function forgetOldTags(libp2p: Libp2p): Promise<void> {
  const tagged = await libp2p.peerStore.all({ filters: [({ tags }) => tags.has(TAG)] })
  for (const { id } of tagged) await libp2p.peerStore.merge(id, { tags: { [TAG]: undefined } })
}
