import { hash } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import type { Registry } from 'prom-client'
import {
  CatalogError,
  type Clock,
  type Logger,
  LruCache,
  partMetrics,
  SECOND_MS,
  toCatalogError
} from '../../base/index.ts'
import type { Control } from '../control/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { LIBRARY_ID_BYTES } from '../sync/limits.ts'
import { NONE_HERE_MS, timeOfNotHere } from '../wire/not-here.ts'
import { HEAD_RATE, MAX_HEADS_PER_ANSWER, MAX_WATCHED, newHead, WATCH_RATE, watchHeads } from './types.ts'

/** Watchers at once; of each 32 KiB of ids at most are kept, and the heads of those libraries that are here. */
const MAX_WATCHERS = 1024
/** Between two looks at what has changed: so a library's heads are told once a second at most. */
const LOOK_MS = SECOND_MS
/** Heads that are on their way to peers at once. */
const MAX_TELLING = 256
/** Heads that peers were last heard to have, and need not be told: 64 from each of 128 peers, about 150 bytes each. */
const MAX_HEARD = 8192
/** Watchers for which it is found out anew in one look what they may know of: all libraries that are here are gone through for each. */
const MAX_RENEWED_PER_LOOK = 16
/** Heads that one watcher is told in one look, and that are on their way to it: as many as it takes in that time, as it refuses others. */
const MAX_TOLD_PER_LOOK = (HEAD_RATE.perSecond * LOOK_MS) / SECOND_MS

export interface HeadExchangeModules {
  readonly control: Pick<Control, 'request' | 'handle'>
  /** The signed head of the set that is here now; empty when nothing is signed yet, undefined when the library is not here. */
  readonly headOf: (library: Uint8Array) => Promise<Uint8Array | undefined>
  /** The libraries that are here and that a peer may know of. What that takes does not depend on what it has asked for. */
  readonly knownTo: (peerId: PeerId) => Promise<readonly Uint8Array[]>
  /** Whether a peer may know of a library; one that it may not know of is not here for it. */
  readonly admits: (peerId: PeerId, library: Uint8Array) => Promise<boolean>
  readonly isConnected: (peerId: PeerId) => boolean
  /** A peer that is watched has told a head: not verified yet. What it throws is answered. */
  readonly onHead: (peerId: PeerId, head: Uint8Array) => Promise<void>
  readonly clock: Clock
  readonly log: Logger
  readonly metrics?: Registry
}

interface Watcher {
  readonly peerId: PeerId
  /** All ids that it asked for, one behind the other: it may be let in where it was not, and a library may come to be here. */
  readonly asked: Uint8Array
  /** Libraries that it watches and that are here: the last head that it was told, in base64. Those that were told last come last. */
  readonly told: Map<string, string>
  /** Heads that are on their way to it. */
  telling: number
}

/**
 * Heads between nodes: tells peers the heads of libraries that they watch and that are here, as they change, and hears those of
 * libraries that it watches at others. It verifies nothing and stores nothing.
 */
export class HeadExchange {
  readonly #modules: HeadExchangeModules
  /** Who watched last comes last. */
  readonly #watchers = new Map<string, Watcher>()
  /** Peers that were told what is watched here. */
  readonly #watched = new LruCache<string, true>({ maxEntries: MAX_WATCHERS })
  readonly #watchRates: PeerRates
  readonly #headRates: PeerRates
  readonly #metrics
  /** By peer and head. Whoever has told a head has it. */
  readonly #heard = new LruCache<string, true>({ maxEntries: MAX_HEARD })
  /** Watchers that may be let in where they were not, who waits longest first. */
  readonly #toRenew = new Set<string>()
  #telling = 0
  #running: AbortController | undefined
  #looking: Promise<void> = Promise.resolve()
  /** Libraries that are here and whose heads cannot be read: logged once. */
  readonly #unreadable = new Set<string>()

  constructor(modules: HeadExchangeModules) {
    this.#modules = modules
    this.#watchRates = new PeerRates(WATCH_RATE, modules.clock)
    this.#headRates = new PeerRates(HEAD_RATE, modules.clock)
    const metrics = partMetrics(modules.metrics, 'heads')
    metrics.gauge('watching_peers', () => this.#watchers.size)
    this.#metrics = {
      told: metrics.counter('told_heads_total'),
      heard: metrics.counter('heard_heads_total')
    }
    modules.control.handle(watchHeads, async ({ libraries }, { peerId, signal }) => {
      this.#watchRates.take(peerId.toString(), 1)
      const askedMs = modules.clock.monotonicMs()
      const heads = await this.#watch(peerId, libraries)
      await timeOfNotHere({ clock: modules.clock, askedMs, afterMs: NONE_HERE_MS }, signal)
      return { heads }
    })
    modules.control.handle(newHead, async ({ head }, { peerId, signal }) => {
      const peer = peerId.toString()
      this.#headRates.take(peer, 1)
      if (this.#watched.get(peer) === undefined)
        throw new CatalogError('INVALID_ARGUMENT', 'nothing is watched at this peer')
      this.#noteHeard(peer, head)
      const askedMs = modules.clock.monotonicMs()
      try {
        // A copy: the head is kept, the frame it came in is not.
        await modules.onHead(peerId, head.slice())
      } finally {
        await timeOfNotHere({ clock: modules.clock, askedMs }, signal)
      }
      return {}
    })
  }

  start(): void {
    this.#running = new AbortController()
    this.#looking = this.#lookWhile(this.#running.signal)
  }

  async stop(): Promise<void> {
    this.#running?.abort()
    await this.#looking
  }

  /** Libraries have come to be here, or whom they are for has changed: who watches one that it may know of now is told its head. */
  audiencesChanged(): void {
    for (const peer of this.#watchers.keys()) this.#toRenew.add(peer)
  }

  /**
   * Tells a peer which libraries are watched here, in place of what it was told before, and hears the heads that it has of them.
   * Throws as `Control.request`; a head that `onHead` refuses ends it.
   */
  async watch(peerId: PeerId, libraries: readonly Uint8Array[], signal?: AbortSignal): Promise<void> {
    if (libraries.length > MAX_WATCHED)
      throw new CatalogError('LIMIT_EXCEEDED', `a peer is asked for ${MAX_WATCHED} libraries at most`)
    const { control, onHead } = this.#modules
    this.#watched.set(peerId.toString(), true)
    const { heads } = await control.request(peerId, watchHeads, { libraries: [...libraries] }, { signal })
    for (const head of heads) {
      this.#noteHeard(peerId.toString(), head)
      await onHead(peerId, head.slice())
    }
  }

  async #watch(peerId: PeerId, libraries: readonly Uint8Array[]): Promise<Uint8Array[]> {
    // One after the other, those that are here would take longer than those that are not, whether or not the peer may know of them.
    const known = new Set((await this.#modules.knownTo(peerId)).map(textOf))
    const told = new Map<string, string>()
    const heads: Uint8Array[] = []
    for (const library of libraries) {
      const text = textOf(library)
      if (!known.has(text) || told.has(text)) continue
      const head = await this.#headOf(library)
      if (head === undefined) continue
      const isTold = head.byteLength > 0 && heads.length < MAX_HEADS_PER_ANSWER
      if (isTold) heads.push(head)
      told.set(text, isTold ? textOf(head) : '')
    }
    const peer = peerId.toString()
    this.#watchers.delete(peer)
    const [oldest] = this.#watchers.keys()
    if (oldest !== undefined && this.#watchers.size >= MAX_WATCHERS) this.#watchers.delete(oldest)
    this.#watchers.set(peer, { peerId, asked: Buffer.concat(libraries), told, telling: 0 })
    return heads
  }

  async #lookWhile(signal: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    while (!signal.aborted) {
      await clock.wait(LOOK_MS, signal).catch(() => undefined)
      if (!signal.aborted) await this.#look(signal)
    }
  }

  /** Tells each watcher what has changed since it was told last, and what did not fit in the answer; the next looks what is too much. */
  async #look(signal: AbortSignal): Promise<void> {
    for (const peer of [...this.#toRenew].slice(0, MAX_RENEWED_PER_LOOK)) {
      this.#toRenew.delete(peer)
      await this.#renew(this.#watchers.get(peer))
    }
    const now = new Map<string, Uint8Array | undefined>()
    for (const [peer, watcher] of [...this.#watchers]) {
      if (this.#modules.isConnected(watcher.peerId)) await this.#lookFor(watcher, now, signal)
      else this.#watchers.delete(peer)
    }
  }

  /** What a watcher asked for and may know of now is told it like what has changed. Never rejects: it asks again, sooner or later. */
  async #renew(watcher: Watcher | undefined): Promise<void> {
    if (watcher === undefined) return
    const { peerId, asked, told } = watcher
    try {
      const known = new Set((await this.#modules.knownTo(peerId)).map(textOf))
      for (let at = 0; at < asked.byteLength; at += LIBRARY_ID_BYTES) {
        const library = textOf(asked.subarray(at, at + LIBRARY_ID_BYTES))
        if (known.has(library) && !told.has(library)) told.set(library, '')
      }
    } catch (err) {
      this.#modules.log.error({ err }, 'what a peer may know of cannot be found out')
    }
  }

  /** `now`: the heads that this look has read already. */
  async #lookFor(
    watcher: Watcher,
    now: Map<string, Uint8Array | undefined>,
    signal: AbortSignal
  ): Promise<void> {
    const { peerId, told } = watcher
    let room = MAX_TOLD_PER_LOOK - watcher.telling
    for (const [library, last] of [...told]) {
      if (room <= 0 || this.#telling >= MAX_TELLING) return
      if (!now.has(library)) now.set(library, await this.#headOf(Buffer.from(library, 'base64')))
      const head = now.get(library)
      if (head === undefined || head.byteLength === 0 || textOf(head) === last) continue
      told.delete(library)
      if (!(await this.#mayKnow(peerId, library))) continue
      // Behind all others, so that those that change often keep none of them back.
      told.set(library, textOf(head))
      if (this.#heard.has(heardKey(peerId.toString(), head))) continue
      room--
      void this.#tell(watcher, head, signal)
    }
  }

  /** What cannot be found out is not told, and keeps no other from being told; the peer asks again. */
  async #mayKnow(peerId: PeerId, library: string): Promise<boolean> {
    try {
      return await this.#modules.admits(peerId, Buffer.from(library, 'base64'))
    } catch (err) {
      this.#modules.log.error({ err, library }, 'whether a peer may know of a library cannot be found out')
      return false
    }
  }

  #noteHeard(peer: string, head: Uint8Array): void {
    this.#metrics.heard.inc()
    this.#heard.set(heardKey(peer, head), true)
  }

  /** One that cannot be read counts as not here, and keeps no other from being told. */
  async #headOf(library: Uint8Array): Promise<Uint8Array | undefined> {
    const text = textOf(library)
    try {
      const head = await this.#modules.headOf(library)
      this.#unreadable.delete(text)
      return head
    } catch (err) {
      if (!this.#unreadable.has(text))
        this.#modules.log.error({ err, library: text }, 'the head of a library cannot be read')
      this.#unreadable.add(text)
      return undefined
    }
  }

  /** Once: who could not be told asks again, or compares sooner or later. */
  async #tell(watcher: Watcher, head: Uint8Array, signal: AbortSignal): Promise<void> {
    const { control, log } = this.#modules
    const { peerId } = watcher
    this.#telling++
    watcher.telling++
    try {
      await control.request(peerId, newHead, { head }, { signal })
      this.#metrics.told.inc()
    } catch (thrown) {
      const { code } = toCatalogError(thrown)
      log.debug({ peer: peerId.toString(), code }, 'a peer could not be told a head')
    } finally {
      this.#telling--
      watcher.telling--
    }
  }
}

const heardKey = (peer: string, head: Uint8Array): string => `${peer} ${hash('sha256', head, 'base64')}`
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
