import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { PeerId, PrivateKey } from '@libp2p/interface'
import { peerIdFromMultihash, peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { decode } from 'multiformats/hashes/digest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import type { KeySource } from '../../../discovery/announce/sweeper.ts'
import type { Answers } from '../../../discovery/answers.ts'
import { DiscoveryCore } from '../../../discovery/discovery.ts'
import { nearest } from '../../../discovery/distance.ts'
import { kademliaId } from '../../../discovery/keys.ts'
import type { DiscoveryNetwork, FindReply, ProvideCall } from '../../../discovery/network.ts'
import { type Contact, contactOf, parseAddresses } from '../../../discovery/peers/contact.ts'
import { sealAddresses } from '../../../discovery/peers/peer-record.ts'
import { type Asker, FIND, MAX_KEYS_PER_REQUEST, PROVIDE, Verdict } from '../../../protocols/index.ts'
import type { FakeClock } from './fake-clock.ts'
import { MemoryDatabase } from './memory-database.ts'

type Watcher = Parameters<DiscoveryNetwork['watch']>[0]

/** One node of a simulated network, with discovery as it is in the product. */
export interface MemoryNode {
  readonly contact: Contact
  readonly discovery: DiscoveryCore
  readonly database: MemoryDatabase
  readonly end: MemoryEnd
}

/** Peers in one process without a transport: messages are encoded, checked and decoded as on the wire. */
export class MemoryNetwork {
  readonly clock: FakeClock
  readonly ends = new Map<string, MemoryEnd>()
  lookups = 0

  constructor(clock: FakeClock) {
    this.clock = clock
  }

  /** A node that is connected to nobody. `seed` makes its identity repeatable. */
  async node(
    options: {
      seed?: number
      database?: MemoryDatabase
      keySource?: KeySource
      privateKey?: PrivateKey
      order?: (peerIds: readonly string[]) => string[]
    } = {}
  ): Promise<MemoryNode> {
    const { seed, database = new MemoryDatabase(), keySource, order } = options
    const privateKey =
      options.privateKey ??
      (seed === undefined
        ? await generateKeyPair('Ed25519')
        : await generateKeyPairFromSeed('Ed25519', kademliaId(Buffer.from(`seed ${seed}`))))
    const end = new MemoryEnd(this, privateKey)
    const discovery = await DiscoveryCore.create({
      network: end,
      database,
      log: silentLogger,
      clock: this.clock,
      random: () => 0.5,
      ...(keySource === undefined ? {} : { keySource }),
      ...(order && { order }),
      serve: async answers => {
        end.answers = answers
        return async () => end.leave()
      }
    })
    this.ends.set(end.contact.id, end)
    await discovery.start()
    return { contact: end.contact, discovery, database, end }
  }

  /** Connects each node with each other one. */
  connectAll(nodes: readonly MemoryNode[]): void {
    for (const [i, a] of nodes.entries()) for (const b of nodes.slice(i + 1)) this.connect(a, b)
  }

  connect(a: MemoryNode, b: MemoryNode): void {
    a.end.open(b.end)
    b.end.open(a.end)
  }
}

/** A node's view of the simulated network. */
export class MemoryEnd implements DiscoveryNetwork {
  readonly self: PeerId
  readonly contact: Contact
  answers: Answers | undefined
  /** `silent`: connections stay, nothing is answered, as a node that was killed looks for a while. */
  state: 'alive' | 'silent' | 'gone' = 'alive'
  /** Requests that came. */
  provides = 0
  finds = 0
  /** So long it takes to answer who announces here. */
  slowMs = 0
  /** Thrown to whoever announces here. */
  refusal: Error | undefined
  readonly #network: MemoryNetwork
  readonly #privateKey: PrivateKey
  readonly #connected = new Map<string, MemoryEnd>()
  readonly #watchers = new Set<Watcher>()

  constructor(network: MemoryNetwork, privateKey: PrivateKey) {
    this.#network = network
    this.#privateKey = privateKey
    this.self = peerIdFromPrivateKey(privateKey)
    this.contact = contactOf(this.self, [multiaddr('/ip4/127.0.0.1/udp/4747/quic-v1')])
  }

  open(other: MemoryEnd): void {
    this.#connected.set(other.contact.id, other)
    for (const { connect } of this.#watchers) connect(other.contact)
  }

  /** Everybody sees the connection close. */
  leave(): void {
    this.state = 'gone'
    for (const other of this.#connected.values()) other.closed(this.contact.id)
    this.#connected.clear()
  }

  closed(id: string): void {
    this.#connected.delete(id)
    for (const { disconnect } of this.#watchers) disconnect(id)
  }

  connected(): Contact[] {
    return Array.from(this.#connected.values(), ({ contact }) => contact)
  }

  watch(listeners: Watcher): () => void {
    this.#watchers.add(listeners)
    return () => this.#watchers.delete(listeners)
  }

  ownRecord(): Promise<Uint8Array> {
    return sealAddresses(this.#privateKey, this.contact.addresses, 1n)
  }

  /** What kad-dht would find in a healthy network: the nearest of all that are alive. */
  async closestPeers(key: Uint8Array): Promise<Contact[]> {
    this.#network.lookups++
    const alive = [...this.#network.ends.values()].filter(end => end !== this && end.state === 'alive')
    return nearest(
      kademliaId(key),
      alive.map(({ contact }) => contact),
      20
    )
  }

  async provide(peer: Contact, call: ProvideCall, signal: AbortSignal): Promise<Verdict[]> {
    const remote = await this.#reach(peer, signal)
    remote.provides++
    if (remote.slowMs > 0) await this.#network.clock.wait(remote.slowMs, signal)
    if (remote.refusal !== undefined) throw remote.refusal
    const peerRecord = await this.ownRecord()
    const verdicts: Verdict[] = []
    for (let first = 0; first < call.keys.length; first += MAX_KEYS_PER_REQUEST) {
      const keys = call.keys.slice(first, first + MAX_KEYS_PER_REQUEST)
      const request = { peerRecord, keys: Buffer.concat(keys), lifetimeS: call.lifetimeMs / 1000 }
      const received = PROVIDE.request.decode(PROVIDE.request.encode(request))
      const answer = PROVIDE.response.encode(await remote.answers!.provide(this.asker, received))
      const told = PROVIDE.response.decode(answer).verdicts
      verdicts.push(...keys.map((_, i) => (told[i] ?? Verdict.Accepted) as Verdict))
    }
    return verdicts
  }

  async find(peer: Contact, key: Uint8Array, signal: AbortSignal): Promise<FindReply> {
    const remote = await this.#reach(peer, signal)
    remote.finds++
    const request = FIND.request.decode(FIND.request.encode({ key, maxProviders: 20, maxCloser: 20 }))
    const answer = FIND.response.decode(FIND.response.encode(await remote.answers!.find(this.self, request)))
    return {
      providers: answer.providers.map(({ peerRecord, ageS }) => ({ peerRecord, ageMs: ageS * 1000 })),
      closer: answer.closer.map(({ peerId, addresses }) =>
        contactOf(peerIdFromMultihash(decode(peerId)), parseAddresses(addresses))
      )
    }
  }

  /** This node, as others see it that it asks. */
  get asker(): Asker {
    return { remotePeer: this.self, remoteAddr: this.contact.addresses[0]! }
  }

  /** The other end, if it can be reached; a silent one is waited for until the signal ends it. */
  async #reach(peer: Contact, signal: AbortSignal): Promise<MemoryEnd> {
    signal.throwIfAborted()
    const remote = this.#network.ends.get(peer.id)
    if (remote === undefined || remote.state === 'gone')
      throw new CatalogError('DIAL_FAILED', `${peer.id} is not there`)
    if (remote.state === 'alive') return remote
    return await new Promise((_, reject) =>
      signal.addEventListener('abort', () => reject(signal.reason), { once: true })
    )
  }
}
