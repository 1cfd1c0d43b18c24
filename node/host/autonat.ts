import { type AutoNATComponents, autoNAT } from '@libp2p/autonat'

/** Peers that ask to be dialled, at once on one connection: each costs a dial. */
const MAX_STREAMS = 2

/**
 * AutoNAT of @libp2p/autonat 3.0.28 with one fault mended: it dials back without `force`, and is handed the very connection
 * over which it was asked; it then reports a failure and closes that connection (src/autonat.ts, `handleAutonatMessage`).
 */
export function autonatService(protocolPrefix: string): (components: AutoNATComponents) => unknown {
  const create = autoNAT({
    protocolPrefix,
    maxInboundStreams: MAX_STREAMS,
    maxOutboundStreams: MAX_STREAMS
  })
  return components => {
    // Components are looked up when they are used: they are not all there yet.
    const forced: AutoNATComponents['connectionManager'] = new Proxy(
      {} as AutoNATComponents['connectionManager'],
      {
        get: (_, name: keyof AutoNATComponents['connectionManager']) => {
          const manager = components.connectionManager
          if (name === 'openConnection')
            return (
              target: Parameters<typeof manager.openConnection>[0],
              options: Parameters<typeof manager.openConnection>[1]
            ) => manager.openConnection(target, { ...options, force: true })
          const value: unknown = manager[name]
          return typeof value === 'function' ? value.bind(manager) : value
        }
      }
    )
    return create(
      new Proxy(components, {
        get: (all, name) => (name === 'connectionManager' ? forced : Reflect.get(all, name))
      })
    )
  }
}
