import type { IdentifyResult, Libp2p, PeerId, PrivateKey } from '@libp2p/interface'
import type { SingleKadDHT } from '@libp2p/kad-dht'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { type Clock, SECOND_MS } from '../base/index.ts'
import {
  type CloserPeer,
  ExchangeClient,
  type ExchangeType,
  FIND,
  MAX_CLOSER_PEERS,
  MAX_FOUND_PROVIDERS,
  MAX_KEYS_PER_REQUEST,
  PROVIDE,
  type StatusFields,
  type TracedRequest,
  toVerdicts,
  type Verdict
} from '../protocols/index.ts'
import type { DiscoveryNetwork, FindReply, ProvideCall } from './network.ts'
import { type Contact, contactOf, parseAddresses } from './peers/contact.ts'
import { sealAddresses } from './peers/peer-record.ts'

export interface Libp2pNetworkModules {
  readonly libp2p: Libp2p
  readonly privateKey: PrivateKey
  readonly clock: Clock
}

export interface Libp2pNetworkOptions {
  readonly networkId: string
  /** Name of the kad-dht service among libp2p's services. */
  readonly dhtService: string
}

/** Discovery's view of libp2p: streams of `provide` and `find`, and kad-dht for one question, "who is nearest". */
export class Libp2pNetwork implements DiscoveryNetwork {
  readonly #libp2p: Libp2p
  readonly #modules: Libp2pNetworkModules
  readonly #options: Libp2pNetworkOptions
  #record: { of: string; bytes: Uint8Array } | undefined

  constructor(modules: Libp2pNetworkModules, options: Libp2pNetworkOptions) {
    this.#libp2p = modules.libp2p
    this.#modules = modules
    this.#options = options
  }

  get self(): PeerId {
    return this.#libp2p.peerId
  }

  connected(): Contact[] {
    const contacts = this.#libp2p.getConnections().map(({ remotePeer, remoteAddr, direction }) =>
      // The address of an inbound connection is a port the peer dialled from, mostly not one it listens on.
      contactOf(remotePeer, direction === 'outbound' ? [remoteAddr] : [])
    )
    return [...new Map(contacts.map(contact => [contact.id, contact])).values()]
  }

  watch(listeners: { connect(contact: Contact): void; disconnect(id: string): void }): () => void {
    // A peer is usable once identify has told what it listens on.
    const onIdentify = ({ detail }: CustomEvent<IdentifyResult>): void =>
      listeners.connect(contactOf(detail.peerId, detail.signedPeerRecord?.addresses ?? detail.listenAddrs))
    const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => listeners.disconnect(detail.toString())
    this.#libp2p.addEventListener('peer:identify', onIdentify)
    this.#libp2p.addEventListener('peer:disconnect', onDisconnect)
    return () => {
      this.#libp2p.removeEventListener('peer:identify', onIdentify)
      this.#libp2p.removeEventListener('peer:disconnect', onDisconnect)
    }
  }

  async ownRecord(): Promise<Uint8Array> {
    const addresses = this.#libp2p.getMultiaddrs()
    const of = addresses.join()
    if (this.#record?.of !== of) {
      const sequence = BigInt(this.#modules.clock.now())
      this.#record = { of, bytes: await sealAddresses(this.#modules.privateKey, addresses, sequence) }
    }
    return this.#record.bytes
  }

  async closestPeers(key: Uint8Array, signal: AbortSignal): Promise<Contact[]> {
    const services = this.#libp2p.services as Record<string, unknown>
    const dht = services[this.#options.dhtService] as SingleKadDHT | undefined
    // With an empty routing table kad-dht would wait for a first peer until the signal ends it.
    if (dht === undefined || dht.routingTable.size === 0) return []
    const found: Contact[] = []
    for await (const event of dht.getClosestPeers(key, { signal }))
      if (event.name === 'FINAL_PEER') found.push(contactOf(event.peer.id, event.peer.multiaddrs))
    return found
  }

  async provide(peer: Contact, call: ProvideCall, signal: AbortSignal): Promise<Verdict[]> {
    const client = await this.#open(PROVIDE, peer, signal)
    const peerRecord = await this.ownRecord()
    const verdicts: Verdict[] = []
    for (let first = 0; first < call.keys.length; first += MAX_KEYS_PER_REQUEST) {
      const keys = call.keys.slice(first, first + MAX_KEYS_PER_REQUEST)
      const lifetimeS = Math.floor(call.lifetimeMs / SECOND_MS)
      const answer = await client.ask({ peerRecord, keys: Buffer.concat(keys), lifetimeS })
      verdicts.push(...toVerdicts(answer.verdicts, keys.length))
    }
    client.close()
    return verdicts
  }

  async find(peer: Contact, key: Uint8Array, signal: AbortSignal): Promise<FindReply> {
    const client = await this.#open(FIND, peer, signal)
    const wish = { key, maxProviders: MAX_FOUND_PROVIDERS, maxCloser: MAX_CLOSER_PEERS }
    const { providers, closer } = await client.ask(wish)
    client.close()
    return {
      providers: providers.map(({ peerRecord, ageS }) => ({ peerRecord, ageMs: ageS * SECOND_MS })),
      closer: closer.flatMap(toContact)
    }
  }

  #open<Q extends TracedRequest, A extends StatusFields>(
    type: ExchangeType<Q, A>,
    peer: Contact,
    signal: AbortSignal
  ): Promise<ExchangeClient<Q, A>> {
    return ExchangeClient.open(this.#libp2p, type, this.#options.networkId, peer, signal)
  }
}

/** A peer that was named to us; one with an id that is none is left out. */
function toContact({ peerId, addresses }: CloserPeer): Contact[] {
  try {
    return [contactOf(peerIdFromMultihash(decodeMultihash(peerId)), parseAddresses(addresses))]
  } catch {
    return []
  }
}
