import type { QuicComponents } from '@chainsafe/libp2p-quic'
import {
  type Connection,
  type ConnectionGater,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type MultiaddrFilter,
  type PeerStore,
  serviceCapabilities,
  type Transport,
  transportSymbol
} from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { Multiaddr } from '@multiformats/multiaddr'
import { TCP } from '@multiformats/multiaddr-matcher'
import { hostOf, peerIdOf } from './addresses.ts'
import { hedge } from './hedge.ts'

/**
 * What QUIC has ahead of TCP: RFC 8305's delay between two attempts. A QUIC handshake is one round trip and TCP with noise and
 * yamux at least four, so where both get through, QUIC wins on any path.
 */
const HEAD_START_MS = 250

/** Of libp2p's components; the others are passed on to the QUIC transport as they are. */
interface RaceComponents extends QuicComponents {
  readonly peerStore: PeerStore
  readonly connectionGater: ConnectionGater
  readonly transportManager: {
    dial(address: Multiaddr, options: { signal: AbortSignal }): Promise<Connection>
  }
}

type Dial = (address: Multiaddr, signal: AbortSignal) => Promise<Connection>

/**
 * QUIC that lets TCP stand in where UDP does not get through. libp2p tries the addresses of a peer one after the other, each
 * to its time-out; here the peer's TCP address on the same host, if the peer store knows one, is tried a little after the QUIC
 * address, and the first of the two that connects is used.
 */
class RaceTransport implements Transport {
  readonly [Symbol.toStringTag] = 'quic-or-tcp'
  readonly [transportSymbol] = true as const
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly listenFilter: MultiaddrFilter
  readonly dialFilter: MultiaddrFilter
  readonly #quic: Transport & { start(): Promise<void>; stop(): Promise<void> }
  readonly #components: RaceComponents

  constructor(quic: Transport, components: RaceComponents) {
    this.#quic = quic as Transport & { start(): Promise<void>; stop(): Promise<void> }
    this.#components = components
    this.listenFilter = quic.listenFilter
    this.dialFilter = quic.dialFilter
  }

  start(): Promise<void> {
    return this.#quic.start()
  }

  stop(): Promise<void> {
    return this.#quic.stop()
  }

  createListener(options: CreateListenerOptions): Listener {
    return this.#quic.createListener(options)
  }

  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const quic: Dial = (to, signal) => this.#quic.dial(to, { ...options, signal })
    const other = await this.#tcpBeside(address)
    if (other === undefined) return await quic(address, options.signal)
    const { transportManager } = this.#components
    return await hedge(
      signal => quic(address, signal),
      signal => transportManager.dial(other, { signal }),
      {
        headStartMs: HEAD_START_MS,
        signal: options.signal,
        giveBack: connection => connection.abort(new Error('another way to the peer was faster'))
      }
    )
  }

  /** Where the peer listens with TCP on the host of this address. */
  async #tcpBeside(address: Multiaddr): Promise<Multiaddr | undefined> {
    const peerId = peerIdOf(address)
    if (peerId === undefined) return undefined
    const { peerStore, connectionGater } = this.#components
    const known = await peerStore.get(peerIdFromString(peerId)).catch(() => undefined)
    const host = hostOf(address)
    const found = known?.addresses.find(
      ({ multiaddr }) => TCP.exactMatch(multiaddr) && hostOf(multiaddr) === host
    )?.multiaddr
    if (found === undefined || (await connectionGater.denyDialMultiaddr?.(found)) === true) return undefined
    return peerIdOf(found) === undefined ? found.encapsulate(`/p2p/${peerId}`) : found
  }
}

/** For libp2p's `transports`, beside a TCP transport. */
export const raceTransport =
  (quic: (components: QuicComponents) => Transport) =>
  (components: QuicComponents): Transport =>
    new RaceTransport(quic(components), components as RaceComponents)
