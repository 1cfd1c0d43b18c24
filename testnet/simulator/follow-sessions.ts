import { CatalogError, GIB, toCatalogError } from '../../base/index.ts'
import { HOME_LIBRARY } from '../../library/index.ts'
import type { FollowOutcome } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { type Conversation, converse } from './converse.ts'
import type { Home } from './home.ts'
import { isHome, TEAM } from './libraries.ts'
import { SessionMeter } from './meter.ts'
import type { Lifetime, SimulatedNode } from './node.ts'
import type { Asking } from './secrets.ts'
import { MAX_ANSWERED, MAX_ANSWERED_PER_PEER, refuse } from './sessions.ts'
import type { End } from './stream.ts'

const MAX_RECORDS = 1_000_000
const MAX_BYTES = GIB

interface Session {
  /** Of the other node. */
  readonly id: number
  readonly end: End
  readonly role: 'initiator' | 'responder'
  /** Where it is for a closed library. */
  readonly asking?: Asking | undefined
}

/** The product's sessions over streams of the simulation: those that a node begins for its copies, and those that it answers. */
export class FollowSessions {
  readonly #node: SimulatedNode
  readonly #home: Home
  readonly #lifetime: Lifetime
  /** By the node that began them. */
  readonly #answered = new Map<number, number>()
  #begun = 0

  constructor(node: SimulatedNode, home: Home, lifetime: Lifetime) {
    this.#node = node
    this.#home = home
    this.#lifetime = lifetime
  }

  /** Both begun and answered. */
  get open(): number {
    return this.#begun + this.#answeredNow
  }

  get #answeredNow(): number {
    return [...this.#answered.values()].reduce((sum, sessions) => sum + sessions, 0)
  }

  /** Compares the copy of a library with what a neighbour has. Throws what it failed with. */
  async begin(id: number, library: Uint8Array, writer: Uint8Array): Promise<FollowOutcome> {
    const { network, neighbours, watch } = this.#node.modules
    const near = neighbours().find(node => node.id === id)
    if (near === undefined) throw new CatalogError('DIAL_FAILED', 'the neighbour is gone')
    this.#begun++
    const asked = { node: this.#node, holder: near, library, askedMs: near.now() }
    const asking = isHome(library, writer) ? undefined : asked
    try {
      const end = network.open(this.#node.id, id)
      const local = this.#node.peerId
      const opening = {
        role: 'follower',
        library,
        writer,
        name: isHome(library, writer) ? HOME_LIBRARY : TEAM,
        isDryRun: false,
        // As the product does by itself: the writer has a log.
        strategy: bytesEqual(near.options.key.publicKey, writer) ? 'incremental' : 'differential',
        maxRecords: MAX_RECORDS,
        maxBytes: MAX_BYTES,
        local,
        remote: near.peerId
      } as const
      const ended = await this.#converse({ id, end, role: 'initiator', asking }, conversation =>
        this.#home.sets.session(opening, port => converse(port, conversation))
      )
      if (ended?.outcome === undefined)
        throw new CatalogError('STREAM_TRUNCATED', 'the other side ended the session early')
      if (asking !== undefined) watch.secrets.shown(asking, ended.outcome)
      return ended.outcome
    } finally {
      this.#begun--
    }
  }

  answer(id: number, end: End): void {
    const { timeline } = this.#node.modules
    const open = this.#answered.get(id) ?? 0
    const isFull = this.#answeredNow >= MAX_ANSWERED || open >= MAX_ANSWERED_PER_PEER
    if (isFull) timeline.spawn(refuse(end))
    else timeline.spawn(this.#answer(id, end))
  }

  async #answer(id: number, end: End): Promise<void> {
    const near = this.#node.modules.neighbours().find(node => node.id === id)
    if (near === undefined) return end.cut()
    this.#answered.set(id, (this.#answered.get(id) ?? 0) + 1)
    const peers = { local: this.#node.peerId, remote: near.peerId, node: near.options.key.publicKey }
    const opening = { role: 'source', ...peers, compareInMs: 0, sketchInMs: 0 } as const
    await this.#converse({ id, end, role: 'responder' }, conversation =>
      this.#home.sets.session(opening, port => converse(port, conversation))
    ).catch(thrown => {
      if (toCatalogError(thrown).code === 'INTERNAL') throw thrown
    })
    this.#answered.set(id, this.#answered.get(id)! - 1)
  }

  /** One session over a stream, with what is noted of it. */
  async #converse<T>(
    { id, end, role, asking }: Session,
    run: (conversation: Conversation) => Promise<T>
  ): Promise<T> {
    const { timeline, verifier, watch, random } = this.#node.modules
    const meter = new SessionMeter(
      () => verifier.size,
      record => verifier.keyOf(record)
    )
    const { mischief } = this.#node.options
    const conversation = {
      end,
      meter,
      role,
      timeline,
      lifetime: this.#lifetime,
      ...(mischief && { mischief: mischief.session(random) })
    }
    const report = { node: this.#node, peer: id, streamId: end.streamId, role, meter }
    try {
      const result = await run(conversation)
      watch.spoke({ ...report, result: {} })
      return result
    } catch (thrown) {
      const error = toCatalogError(thrown)
      watch.spoke({ ...report, result: { error } })
      if (asking !== undefined) watch.secrets.refused(asking, error, meter.heardBytes)
      throw thrown
    } finally {
      end.close()
    }
  }
}
