import { backoffDelayMs, CatalogError, type RetryPolicy, SECOND_MS } from '../../base/index.ts'
import { isTimely } from '../../library/index.ts'
import { abortFrame, isSyncViolation } from '../../protocols/index.ts'
import type { HeadVerdict } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { SaidHead } from './heads.ts'
import type { Home } from './home.ts'
import { homeIdOf } from './libraries.ts'
import { SessionMeter } from './meter.ts'
import type { Lifetime, SimulatedNode } from './node.ts'
import { type SessionParties, type SessionResult, SessionRun } from './session.ts'
import type { End } from './stream.ts'
import type { Syncer } from './syncer.ts'

/** Sessions that a node answers at once, in all and for one peer (sync.md: 2). */
export const MAX_ANSWERED = 8
export const MAX_ANSWERED_PER_PEER = 2
/** Least time between two sessions that a node begins: what comes meanwhile is one session. */
const PACE_MS = 5 * SECOND_MS
/** A node looks at a neighbour of its own accord, should it have missed its heads. */
const SCHEDULE_MS = 60 * SECOND_MS
/** A session in which nothing is heard for so long is given up. */
const SILENCE_MS = 30 * SECOND_MS
const LOOK_MS = 5 * SECOND_MS
/** After a failure that is nobody's fault. */
const RETRY: RetryPolicy = {
  attempts: 1,
  firstDelayMs: 2 * SECOND_MS,
  factor: 2,
  maxDelayMs: 60 * SECOND_MS,
  jitter: 0.5
}
/** Who broke the protocol is left alone for so long. */
const BAN_MS = 600 * SECOND_MS

interface Peer {
  failures: number
  notBeforeMs: number
  bannedUntilMs: number
  answered: number
}

/** Which sessions a node has: one at a time that it begins, a few that it answers, none with who breaks the rules. */
export class Sessions implements Syncer {
  readonly isTold = 'once'
  readonly #node: SimulatedNode
  readonly #home: Home
  readonly #lifetime: Lifetime
  readonly #peers = new Map<number, Peer>()
  readonly #wanted = new Set<number>()
  #isBusy = false
  #answered = 0
  #nextAtMs = 0

  constructor(node: SimulatedNode, home: Home, lifetime: Lifetime) {
    this.#node = node
    this.#home = home
    this.#lifetime = lifetime
  }

  /** Both begun and answered. */
  get open(): number {
    return this.#answered + (this.#isBusy ? 1 : 0)
  }

  get wanted(): number {
    return this.#wanted.size
  }

  start(): void {
    this.#lifetime.after(this.#node.modules.random.between(1, SCHEDULE_MS), () => this.#schedule())
  }

  /** Passes on what is news, and looks at the library where its root is another. */
  heard(_from: number, head: SaidHead, verdict: HeadVerdict | 'forgotten'): void {
    if (verdict !== 'newer') return
    this.#node.life?.gossip.tell(head)
    if (!bytesEqual(head.root, this.#home.root)) this.#want(head.writer)
  }

  #want(writer: Uint8Array): void {
    const { neighbours } = this.#node.modules
    const near = neighbours().find(({ options }) => bytesEqual(options.key.publicKey, writer))
    if (near === undefined) return
    this.#wanted.add(near.id)
    this.#next()
  }

  #schedule(): void {
    const { random, neighbours } = this.#node.modules
    const near = neighbours()
    if (near.length > 0) this.#wanted.add(random.pick(near).id)
    this.#next()
    this.#lifetime.after(random.between(SCHEDULE_MS / 2, SCHEDULE_MS), () => this.#schedule())
  }

  /** Begins a session with the first that is wanted and may be asked. */
  #next(): void {
    const { timeline, watch } = this.#node.modules
    if (this.#isBusy || watch.isStill || this.#lifetime.isOver) return
    if (timeline.nowMs < this.#nextAtMs) return
    for (const id of this.#wanted) {
      const peer = this.#peer(id)
      if (timeline.nowMs < Math.max(peer.notBeforeMs, peer.bannedUntilMs)) continue
      this.#wanted.delete(id)
      this.#nextAtMs = timeline.nowMs + PACE_MS
      this.#lifetime.after(PACE_MS, () => this.#next())
      timeline.spawn(this.#begin(id))
      return
    }
  }

  async #begin(id: number): Promise<void> {
    this.#isBusy = true
    const { network, neighbours } = this.#node.modules
    const near = neighbours().find(node => node.id === id)
    if (near !== undefined)
      try {
        const end = network.open(this.#node.id, id)
        await this.#run(id, end, {
          role: 'initiator',
          library: homeIdOf(near.options.key.publicKey),
          initiator: this.#node.peerId,
          responder: near.peerId
        })
      } catch (thrown) {
        if (!(thrown instanceof CatalogError) || thrown.code !== 'DIAL_FAILED') throw thrown
        this.#failed(id, thrown)
      }
    this.#isBusy = false
    this.#next()
  }

  /** Answers a stream that a peer has opened, or refuses it. */
  answer(id: number, end: End): void {
    const { timeline } = this.#node.modules
    const peer = this.#peer(id)
    const isFull = this.#answered >= MAX_ANSWERED || peer.answered >= MAX_ANSWERED_PER_PEER
    if (isFull || timeline.nowMs < peer.bannedUntilMs) timeline.spawn(refuse(end))
    else timeline.spawn(this.#answer(id, peer, end))
  }

  async #answer(id: number, peer: Peer, end: End): Promise<void> {
    const near = this.#node.modules.neighbours().find(node => node.id === id)
    if (near === undefined) return end.cut()
    this.#answered++
    peer.answered++
    await this.#run(id, end, {
      role: 'responder',
      library: this.#home.libraryId,
      initiator: near.peerId,
      responder: this.#node.peerId
    })
    this.#answered--
    peer.answered--
  }

  async #run(id: number, end: End, parties: SessionParties): Promise<void> {
    const { timeline, verifier, random, watch } = this.#node.modules
    const meter = new SessionMeter(
      () => this.#home.count,
      record => verifier.read(record).trieKey
    )
    let heardAtMs = timeline.nowMs
    let isOpen = true
    const look = (): void => {
      if (!isOpen) return
      if (timeline.nowMs - heardAtMs > SILENCE_MS) end.cut()
      this.#lifetime.after(LOOK_MS, look)
    }
    this.#lifetime.after(LOOK_MS, look)
    const { mischief } = this.#node.options
    const run = new SessionRun(
      {
        home: this.#home,
        verifier,
        end,
        meter,
        random: bytes => random.bytes(bytes),
        ...(mischief && { mischief: mischief.session(random) }),
        onHeard: () => {
          heardAtMs = timeline.nowMs
        },
        onTaken: records => this.#node.changed(records),
        isTimely: ({ record }) => isTimely(record.sequence, this.#node.now())
      },
      parties
    )
    const result = await run.run()
    isOpen = false
    watch.spoke({ node: this.#node, peer: id, streamId: end.streamId, role: parties.role, meter, result })
    this.#ended(id, result)
  }

  #ended(id: number, { error }: SessionResult): void {
    const peer = this.#peer(id)
    if (error === undefined) {
      peer.failures = 0
      peer.notBeforeMs = 0
    } else this.#failed(id, error)
  }

  #failed(id: number, error: CatalogError): void {
    const { timeline, random } = this.#node.modules
    const peer = this.#peer(id)
    if (isSyncViolation(error)) peer.bannedUntilMs = timeline.nowMs + BAN_MS
    peer.notBeforeMs = timeline.nowMs + backoffDelayMs(RETRY, Math.min(++peer.failures, 10), random.next())
    this.#wanted.add(id)
    this.#lifetime.after(peer.notBeforeMs - timeline.nowMs, () => this.#next())
  }

  #peer(id: number): Peer {
    const peer = this.#peers.get(id) ?? {
      failures: 0,
      notBeforeMs: 0,
      bannedUntilMs: 0,
      answered: 0
    }
    this.#peers.set(id, peer)
    return peer
  }
}

export async function refuse(end: End): Promise<void> {
  const busy = new CatalogError('BUSY', 'as many sessions as a peer may have are open')
  await end.write(abortFrame(busy)).catch(() => undefined)
  end.close()
}
