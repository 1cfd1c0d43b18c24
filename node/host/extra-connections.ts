import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { QUIC_V1, TCP } from '@multiformats/multiaddr-matcher'
import { CatalogError, type Clock, MINUTE_MS, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import { openConnection, type WayKind, type WayOpener } from '../../protocols/index.ts'
import { hostOf, withPeer } from './addresses.ts'
import { DIAL_TIMEOUT_MS } from './options.ts'

/** What extra connections may pin of `memory.network`, each with a full window. The rest is for those that peers open. */
const MEMORY_SHARE = 0.25
/** So long what else uses one has to end. There are few: a remote that keeps a stream open would keep the place of one for good. */
const RETIRE_MS = 5 * MINUTE_MS

export interface ExtraConnectionModules {
  readonly libp2p: Libp2p
  readonly clock: Clock
  /** Ends with the host. */
  readonly signal: AbortSignal
}

export interface ExtraConnectionOptions {
  /** Connections to one peer at most, the first included. */
  readonly maxWays: number
  readonly networkMemoryBytes: number
  readonly maxConnectionDataBytes: number
  /** Name of the protocol whose stream stays open as long as its connection. */
  readonly idleProtocol: string
}

/**
 * Connections to a peer beside the one there is, for a fetch that a single one holds up. To libp2p they are connections like the
 * others, so what else happens to use one when the fetch is over may end first, in its time.
 */
export class ExtraConnections implements WayOpener {
  readonly maxWays: number
  readonly #modules: ExtraConnectionModules
  readonly #options: ExtraConnectionOptions
  readonly #most: number
  /** Opened here and not closed, and those being dialled, of each peer. */
  readonly #counts = new Map<string, number>()

  constructor(modules: ExtraConnectionModules, options: ExtraConnectionOptions) {
    this.maxWays = options.maxWays
    this.#modules = modules
    this.#options = options
    this.#most = Math.floor((options.networkMemoryBytes * MEMORY_SHARE) / options.maxConnectionDataBytes)
  }

  get hasRoom(): boolean {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0) < this.#most
  }

  /** Beside the errors of its interface BUSY: the limit for one peer is one for all fetches, whose streams a source counts together. */
  async open(peerId: PeerId, way: WayKind, signal: AbortSignal): Promise<Connection> {
    const count = this.#counts.get(peerId.toString()) ?? 0
    if (!this.hasRoom || count >= this.maxWays - 1)
      throw new CatalogError('BUSY', `${count} extra connections to ${peerId} are open already`)
    this.#change(peerId, 1)
    try {
      const address = await this.#addressOf(peerId, way)
      const connection = await this.#modules.libp2p.dial(address, {
        force: true,
        signal: AbortSignal.any([signal, timeoutSignal(DIAL_TIMEOUT_MS)])
      })
      if (connection.status !== 'open')
        throw new CatalogError('DIAL_FAILED', `${address.toString()} closed the connection`)
      connection.addEventListener('close', () => this.#change(peerId, -1), { once: true })
      return connection
    } catch (error) {
      this.#change(peerId, -1)
      throw error
    }
  }

  #change(peerId: PeerId, by: number): void {
    const key = peerId.toString()
    const count = (this.#counts.get(key) ?? 0) + by
    if (count > 0) this.#counts.set(key, count)
    else this.#counts.delete(key)
  }

  retire(connection: Connection): void {
    this.#retire(connection).catch(error => connection.abort(error))
  }

  async #retire(connection: Connection): Promise<void> {
    const { clock, signal } = this.#modules
    const { idleProtocol } = this.#options
    const endMs = clock.monotonicMs() + RETIRE_MS
    while (connection.status === 'open' && clock.monotonicMs() < endMs) {
      if (connection.streams.every(({ protocol }) => protocol === idleProtocol)) break
      await clock.wait(SECOND_MS, signal)
    }
    await connection.close({ signal: AbortSignal.any([signal, timeoutSignal(SECOND_MS)]) })
  }

  /** On the host where the peer is reached now. */
  async #addressOf(peerId: PeerId, way: WayKind): Promise<Multiaddr> {
    const { libp2p } = this.#modules
    const first = openConnection(libp2p, peerId)
    const known = await libp2p.peerStore.get(peerId).catch(() => undefined)
    const isOfWay = (address: Multiaddr): boolean => (way === 'tcp' ? TCP : QUIC_V1).exactMatch(address)
    const isDirect = first !== undefined && first.limits === undefined
    const isTcpAlready = isDirect && way === 'tcp' && first.multiplexer !== 'quic'
    const found = known?.addresses.find(
      ({ multiaddr }) => isDirect && isOfWay(multiaddr) && hostOf(multiaddr) === hostOf(first.remoteAddr)
    )
    if (found === undefined || isTcpAlready)
      throw new CatalogError('NOT_FOUND', `${peerId} has no address for another connection over ${way}`)
    return withPeer(found.multiaddr, peerId)
  }
}
