/** Nodes that mirror, in one process and with one clock: registries, planners and all between them are real, links, contents and proofs are as told. */
import { EventEmitter } from 'node:events'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { CID } from 'multiformats/cid'
import { Registry as MetricsRegistry } from 'prom-client'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import type { Config } from '../../../config/index.ts'
import { parseId, type Registry, type ReleaseRecord } from '../../../library/index.ts'
import { createRegistry } from '../../../library/registry/index.ts'
import type { Demand, Member } from '../../../mirror/index.ts'
import { EventHub } from '../../../node/events.ts'
import { createMirroring, type MirroringParts, type MirroringPartsModules } from '../../../node/mirroring.ts'
import { Copies } from '../../../node/services/mirroring/copies.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import type { RequestType } from '../../../protocols/index.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { openMemory, serialWriter, type TestDatabase } from '../registry/databases.ts'

/** Of something large what is used here. */
const partly = <T>(part: object): T => part as T

const NOBODY: Demand = { count: 0, askers: 0, lastMs: undefined }
const GIB = 2 ** 30

export const POLICY = {
  min: 2,
  target: 2,
  max: 4,
  strategy: 'popularity',
  interval: 3_600_000,
  grace: 60_000,
  quota: 10 * GIB,
  repairBudget: GIB,
  accept: 'network',
  list: [],
  halfLife: 86_400_000
} satisfies Config['mirror']

export class MirrorWorld {
  readonly clock = new ManualClock(NOW_MS)
  readonly nodes: WorldNode[] = []

  /** Nodes that are all connected; `isMember`: whether each volunteers. */
  static async open(names: readonly string[], over: Partial<Config['mirror']> = {}): Promise<MirrorWorld> {
    const world = new MirrorWorld()
    for (const name of names) world.nodes.push(await WorldNode.open(world, name, { ...POLICY, ...over }))
    for (const node of world.nodes) await node.start()
    return world
  }

  node(peer: string): WorldNode | undefined {
    return this.nodes.find(node => node.peer === peer)
  }

  members(): Member[] {
    return this.nodes.filter(({ isMember }) => isMember).map(({ member }) => member)
  }

  reaches(one: WorldNode, other: WorldNode): boolean {
    return one.isUp && other.isUp && !one.cutFrom.has(other.peer) && !other.cutFrom.has(one.peer)
  }

  /** All know of a release, and only `holders` have it, as what they published. */
  async publish(record: ReleaseRecord, ...holders: WorldNode[]): Promise<void> {
    for (const node of this.nodes) {
      if (holders.includes(node)) {
        await node.registry.publish(record.bytes)
        node.contents.add(record.release.content.toString())
      } else await node.registry.add(record.bytes)
    }
    for (const node of this.nodes) node.parts.releasesChanged()
  }

  /** Those that hold a content for others now. */
  holders({ release: { content } }: ReleaseRecord): WorldNode[] {
    return this.nodes.filter(
      node => node.isUp && node.copies.of(content.toString())?.taken !== undefined && node.has(content)
    )
  }

  /** Lets so much time pass. */
  pass(ms: number, stepMs = 500): Promise<void> {
    return this.clock.advance(ms, stepMs)
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.filter(({ isUp }) => isUp).map(node => node.stop()))
  }
}

type AnyRequest = RequestType<object, object>
type OfferHandler = Parameters<MirroringPartsModules['offers']['onOffer']>[0]
type Handler = (message: unknown, context: { peerId: PeerId; signal: AbortSignal }) => unknown

export class WorldNode {
  readonly name: string
  readonly peer: string
  readonly member: Member
  readonly contents = new Set<string>()
  readonly cutFrom = new Set<string>()
  readonly fetches: string[] = []
  readonly announced: string[] = []
  /** Whether it claims what it cannot prove. */
  isLiar = false
  /** Whether it answers no request, until the asker gives up. */
  isMute = false
  /** How its fetches go; they succeed unless given. */
  fetching: ((record: ReleaseRecord, signal: AbortSignal) => Promise<void>) | undefined
  demand: (content: string) => Demand = () => ({ ...NOBODY, askers: 2 })
  isUp = false
  isFrozen = false
  urgent = 0
  blocked = new Set<string>()
  registry!: Registry
  copies!: Copies
  parts!: MirroringParts
  offers: string[] = []
  #isMember = true
  readonly #onMembers = new Set<() => void>()
  readonly #world: MirrorWorld
  readonly #mirror: Config['mirror']
  #database!: TestDatabase
  #handlers = new Map<number, { type: AnyRequest; handler: Handler }>()
  #onOffer: OfferHandler = async () => false
  readonly #host = new EventEmitter()
  /** Another one whenever something is blocked. */
  rules = {}
  readonly #onConnected = new Set<(peer: string) => void>()

  static async open(world: MirrorWorld, name: string, mirror: Config['mirror']): Promise<WorldNode> {
    const node = new WorldNode(world, name, mirror)
    node.#database = await openMemory()
    return node
  }

  private constructor(world: MirrorWorld, name: string, mirror: Config['mirror']) {
    const { publicKey } = keyOf(name)
    this.#world = world
    this.#mirror = mirror
    this.name = name
    this.peer = peerOf(publicKey)
    this.member = { peer: this.peer, key: publicKey, region: 'here', capacityClass: 3 }
  }

  get isMember(): boolean {
    return this.#isMember
  }

  /** All hear of it at once. */
  set isMember(isMember: boolean) {
    this.#isMember = isMember
    for (const node of this.#world.nodes) for (const listener of node.#onMembers) listener()
  }

  has(content: CID): boolean {
    return this.contents.has(content.toString())
  }

  block(content: CID): void {
    this.blocked.add(content.toString())
    this.rules = {}
    this.contents.delete(content.toString())
    this.parts.releasesChanged()
  }

  async start(isEnabled = true): Promise<void> {
    const { clock } = this.#world
    const database = this.#database
    this.registry = createRegistry({ database, writer: serialWriter(database), clock })
    this.#handlers = new Map()
    this.copies = await Copies.open({ database, clock, logger: silentLogger })
    const config = {
      mirroring: { enabled: isEnabled },
      mirror: this.#mirror,
      store: { quota: 0 },
      sync: { priority: [] }
    }
    this.parts = await createMirroring(
      partly({
        ...{ database, clock, registry: this.registry, copies: this.copies, logger: silentLogger },
        host: partly({
          peerId: this.peer,
          peers: () => this.#connected().map(({ peer }) => ({ peerId: peer, addresses: [] })),
          events: this.#host,
          addresses: () => []
        }),
        control: partly({
          handle: (type: AnyRequest, handler: Handler) => this.#handlers.set(type.method, { type, handler }),
          request: (peerId: PeerId, type: AnyRequest, message: object, { signal }: { signal: AbortSignal }) =>
            this.#ask(peerId, type, message, signal)
        }),
        content: partly({
          localState: (content: CID) => (this.has(content) ? 'complete' : 'none'),
          isPinned: () => false,
          summary: () => undefined,
          remove: async (content: CID) => {
            this.contents.delete(content.toString())
          }
        }),
        blocking: this.#blocking(),
        network: partly({
          connected: () => this.#connected().map(({ peer }) => peer),
          onConnected: (listener: (peer: string) => void) => {
            this.#onConnected.add(listener)
            return () => this.#onConnected.delete(listener)
          },
          announce: async ({ names }: { names: string[] }) => this.announced.push(...names),
          async *recordHolders() {}
        }),
        topology: partly({ views: () => [] }),
        fetching: partly({
          urgent: 0,
          fetch: async ({ spec }: { spec: string }, { signal }: { signal: AbortSignal }) =>
            this.#fetch(spec, signal)
        }),
        members: partly({
          members: () => this.#world.members(),
          own: () => this.member,
          onChange: (listener: () => void) => {
            this.#onMembers.add(listener)
            return () => this.#onMembers.delete(listener)
          },
          leave: async () => {
            this.isMember = false
          },
          rejoin: async () => {
            this.isMember = true
          }
        }),
        wanted: partly({ recordsOf: async () => [] }),
        demand: partly({
          wanted: () => [],
          demandOf: (content: string) => this.demand(content),
          onChange: () => () => undefined
        }),
        offers: partly({
          offer: async (peerId: PeerId, record: ReleaseRecord, signal: AbortSignal) => {
            const other = this.#reach(peerId)
            this.offers.push(other.name)
            return (await other.isOffered(this, record, signal)) ? 'accepted' : 'refused'
          },
          onOffer: (handler: OfferHandler) => {
            this.#onOffer = handler
          }
        }),
        proofs: partly({
          challenge: async (peerId: PeerId, { content }: { content: CID }) => {
            const other = this.#reach(peerId)
            if (other.isLiar) throw new CatalogError('BYTES_WRONG', 'it was no proof')
            if (!other.has(content)) throw new CatalogError('NOT_FOUND', 'it is not here')
            return { member: new Uint8Array(), demand: new Uint8Array() }
          }
        }),
        violations: partly({ of: () => () => undefined }),
        mayRead: () => true,
        partition: this.#partition(),
        events: new EventHub({ clock }),
        metrics: new MetricsRegistry(),
        random: () => 0.5
      }),
      partly(config)
    )
    this.isUp = true
    this.parts.ongoing?.start()
    for (const other of this.#connected()) {
      other.#tellConnected(this.peer)
      this.#tellConnected(other.peer)
    }
  }

  async stop(): Promise<void> {
    const others = this.#connected()
    this.isUp = false
    await this.parts.ongoing?.stop()
    for (const other of others) other.#host.emit('disconnected', this.peer)
  }

  /** Nobody on one side reaches anybody on the other. */
  cut(other: WorldNode): void {
    this.cutFrom.add(other.peer)
    this.#host.emit('disconnected', other.peer)
    other.#host.emit('disconnected', this.peer)
  }

  /** Asks it to take something over; whether it does. */
  isOffered(from: WorldNode, record: ReleaseRecord, signal: AbortSignal): Promise<boolean> {
    return this.#onOffer(peerIdFromString(from.peer), record, signal)
  }

  #blocking(): MirroringPartsModules['blocking'] {
    const rules = (): object => this.rules
    return partly({
      get rules() {
        return rules()
      },
      isBlocked: ({ release }: ReleaseRecord) => this.blocked.has(release.content.toString())
    })
  }

  #partition(): MirroringPartsModules['partition'] {
    const isFrozen = (): boolean => this.isFrozen
    return {
      get isFrozen() {
        return isFrozen()
      },
      onChange: () => () => undefined
    }
  }

  #tellConnected(peer: string): void {
    for (const listener of this.#onConnected) listener(peer)
  }

  #connected(): WorldNode[] {
    return this.#world.nodes.filter(other => other !== this && this.#world.reaches(this, other))
  }

  #reach(peerId: PeerId): WorldNode {
    const other = this.#world.node(peerId.toString())
    if (other === undefined || !this.#world.reaches(this, other))
      throw new CatalogError('DIAL_FAILED', `${peerId} cannot be reached`)
    return other
  }

  async #ask(peerId: PeerId, type: AnyRequest, message: object, signal: AbortSignal): Promise<unknown> {
    const other = this.#reach(peerId)
    if (other.isMute)
      return await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
    const entry = other.#handlers.get(type.method)
    if (entry === undefined) throw new CatalogError('UNSUPPORTED', `${peerId} does not know ${type.name}`)
    const question = entry.type.request.decode(type.request.encode(message))
    const answering = entry.handler(question, { peerId: peerIdFromString(this.peer), signal })
    return type.response.decode(entry.type.response.encode((await answering) as object))
  }

  async #fetch(spec: string, signal: AbortSignal): Promise<{ id: string }> {
    const record = this.registry.get(parseId(spec))!
    this.fetches.push(record.release.name)
    await this.fetching?.(record, signal)
    if (!this.#connected().some(other => other.has(record.release.content)))
      throw new CatalogError('NO_PROVIDERS', 'nobody has it')
    this.contents.add(record.release.content.toString())
    return { id: spec }
  }
}
