import { type QuicComponents, type QuicOptions, quic } from '@chainsafe/libp2p-quic'
import {
  type Connection,
  type CreateListenerOptions,
  type DialTransportOptions,
  type Listener,
  type MultiaddrConnection,
  type MultiaddrFilter,
  serviceCapabilities,
  type Transport,
  transportSymbol,
  type Upgrader
} from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { internalsChanged } from './errors.ts'
import { acceptInParallel, tellPresentAddresses } from './listener.ts'
import { quicMuxerFactory } from './muxer.ts'
import { asNativeConnection, withMethods } from './native.ts'
import { DEFAULT_QUIC_STREAM_OPTIONS, type QuicStreamOptions } from './options.ts'

type UpgradeOptions = Parameters<Upgrader['upgradeInbound']>[1] & { muxerFactory?: unknown }

/**
 * The transport of `@chainsafe/libp2p-quic` with our own muxer in place of its own. The stock transport dials, listens and does
 * TLS; at the hand-over to libp2p's upgrader the native connection is taken from the muxer factory it offers.
 */
class QuicTransport implements Transport {
  readonly [Symbol.toStringTag] = 'quic'
  readonly [transportSymbol] = true as const
  readonly [serviceCapabilities] = ['@libp2p/transport']
  readonly listenFilter: MultiaddrFilter
  readonly dialFilter: MultiaddrFilter
  readonly #stock: Transport & { start(): Promise<void>; stop(): Promise<void> }
  readonly #options: QuicStreamOptions

  constructor(stock: Transport, options: QuicStreamOptions) {
    this.#stock = withMethods(stock, ['dial', 'createListener', 'start', 'stop'], 'transport')
    this.#options = options
    this.listenFilter = stock.listenFilter
    this.dialFilter = stock.dialFilter
  }

  start(): Promise<void> {
    return this.#stock.start()
  }

  stop(): Promise<void> {
    return this.#stock.stop()
  }

  /** Ends when the signal says so. The native dial cannot be cancelled: a connection that lands later is closed at once. */
  async dial(address: Multiaddr, options: DialTransportOptions): Promise<Connection> {
    const upgrader = withOwnMuxer(options.upgrader, this.#options, options.signal)
    return await raceSignal(this.#stock.dial(address, { ...options, upgrader }), options.signal)
  }

  createListener(options: CreateListenerOptions): Listener {
    const upgrader = withOwnMuxer(options.upgrader, this.#options)
    const listener = this.#stock.createListener({ ...options, upgrader })
    acceptInParallel(listener, this.#options.parallelHandshakes)
    tellPresentAddresses(listener)
    return listener
  }
}

/** An upgrader that passes everything on, with our muxer; it refuses connections that land after `dialSignal` has ended. */
function withOwnMuxer(upgrader: Upgrader, options: QuicStreamOptions, dialSignal?: AbortSignal): Upgrader {
  const own = (upgrade: UpgradeOptions): never => {
    const factory = upgrade.muxerFactory as { init?: { connection?: unknown } } | undefined
    if (factory?.init?.connection === undefined)
      throw internalsChanged('the muxer factory has no init.connection')
    const native = asNativeConnection(factory.init.connection)
    // `never`: the overloads of the upgrader differ in fields that are passed on as they came.
    return { ...upgrade, muxerFactory: quicMuxerFactory(native, options) } as never
  }
  return {
    upgradeInbound: (maConn: MultiaddrConnection, upgrade: UpgradeOptions) =>
      upgrader.upgradeInbound(maConn, own(upgrade)),
    upgradeOutbound: async (maConn: MultiaddrConnection, upgrade: UpgradeOptions) => {
      dialSignal?.throwIfAborted()
      const connection = await upgrader.upgradeOutbound(maConn, own(upgrade))
      if (dialSignal?.aborted === true) connection.abort(dialSignal.reason)
      return connection
    },
    createInboundAbortSignal: signal => upgrader.createInboundAbortSignal(signal),
    getConnectionEncrypters: () => upgrader.getConnectionEncrypters(),
    getStreamMuxers: () => upgrader.getStreamMuxers()
  }
}

/**
 * QUIC for libp2p's `transports`. `quicOptions` go to the native library (its sizes and timeouts), `options` to the decorator.
 * The returned factory throws CatalogError INTERNAL when the installed `@chainsafe/libp2p-quic` is not the one it knows.
 */
export function quicTransport(
  quicOptions: Partial<QuicOptions> = {},
  options: Partial<QuicStreamOptions> = {}
): (components: QuicComponents) => Transport {
  const stock = quic(quicOptions)
  return components => new QuicTransport(stock(components), { ...DEFAULT_QUIC_STREAM_OPTIONS, ...options })
}
