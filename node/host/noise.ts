import {
  type ComponentLogger,
  type ConnectionEncrypter,
  type PrivateKey,
  serviceCapabilities
} from '@libp2p/interface'

/** Of libp2p's components, what noise needs. */
interface NoiseComponents {
  readonly privateKey: PrivateKey
  readonly logger: ComponentLogger
}

/**
 * Noise that is loaded with the first connection over TCP or a relay: its WebAssembly takes 10 MB from a daemon that has only QUIC
 * connections. What a peer sends meanwhile waits in its connection, which bounds it.
 */
export function lazyNoise(): (components: NoiseComponents) => ConnectionEncrypter {
  return components => {
    let loading: Promise<ConnectionEncrypter> | undefined
    const load = (): Promise<ConnectionEncrypter> => {
      loading ??= import('@libp2p/noise').then(
        ({ noise }) => noise()(components as never) as ConnectionEncrypter
      )
      return loading
    }
    const encrypter = {
      protocol: '/noise',
      [Symbol.toStringTag]: '@libp2p/noise',
      [serviceCapabilities]: ['@libp2p/connection-encryption', '@libp2p/noise'],
      secureInbound: async (...args: Parameters<ConnectionEncrypter['secureInbound']>) =>
        (await load()).secureInbound(...args),
      secureOutbound: async (...args: Parameters<ConnectionEncrypter['secureOutbound']>) =>
        (await load()).secureOutbound(...args)
    }
    return encrypter as ConnectionEncrypter
  }
}
