import type { QuicComponents } from '@chainsafe/libp2p-quic'
import { generateKeyPair, privateKeyToProtobuf } from '@libp2p/crypto/keys'
import type { StreamMuxerFactory } from '@libp2p/interface'
import type { NativeConnection, NativeStream } from '../../protocols/quic/native.ts'

/**
 * The native classes behind `@chainsafe/libp2p-quic`. Its `exports` hide them, so the files are named: the muxer suite
 * needs two bare connections, without a transport around them.
 */
interface NativeServer {
  port(): number
  inboundConnection(): Promise<TestConnection>
  abort(): Promise<void>
}
export interface TestConnection extends NativeConnection {
  id(): string
  closed(): Promise<void>
}
interface Native {
  QuinnConfig: new (config: object) => object
  Server: new (config: object, ip: string, port: number) => NativeServer
  Client: new (
    config: object,
    family: number
  ) => {
    outboundConnection(ip: string, port: number): Promise<TestConnection>
    abort(): void
  }
}
interface StockMuxer {
  QuicStreamMuxerFactory: new (init: {
    connection: TestConnection
    logger: QuicComponents['logger']
  }) => StreamMuxerFactory
}

const load = async (file: string): Promise<unknown> =>
  await import(new URL(`../../node_modules/@chainsafe/libp2p-quic/dist/src/${file}`, import.meta.url).href)
const { QuinnConfig, Server, Client } = (await load('napi.js')) as Native
const { defaultOptions } = (await load('index.js')) as { defaultOptions: object }
export const { QuicStreamMuxerFactory: StockMuxerFactory } = (await load('stream-muxer.js')) as StockMuxer

export interface NativePair {
  readonly inbound: TestConnection
  readonly outbound: TestConnection
  close(): Promise<void>
}

/** Two ends of one QUIC connection over loopback. */
export async function nativePair(): Promise<NativePair> {
  const config = async (): Promise<object> =>
    new QuinnConfig({
      ...defaultOptions,
      privateKeyProto: privateKeyToProtobuf(await generateKeyPair('Ed25519'))
    })
  const server = new Server(await config(), '127.0.0.1', 0)
  const client = new Client(await config(), 0)
  const [inbound, outbound] = await Promise.all([
    server.inboundConnection(),
    client.outboundConnection('127.0.0.1', server.port())
  ])
  return {
    inbound,
    outbound,
    close: async () => {
      client.abort()
      await server.abort()
    }
  }
}

/**
 * A connection whose streams are seen by the remote as soon as they are opened and in the order they were asked for, as
 * the muxer suite expects of `streams[0]` on both ends. QUIC itself shows a stream with its first byte, so one byte is
 * sent and taken away; and the native library opens several streams on several threads, so they are opened one by one.
 */
export function primed(native: TestConnection): TestConnection {
  let opening: Promise<unknown> = Promise.resolve()
  const open = async (): Promise<NativeStream> => {
    const stream = await native.outboundStream()
    await stream.write(Uint8Array.of(0))
    return stream
  }
  return {
    id: () => native.id(),
    closed: () => native.closed(),
    abort: () => native.abort(),
    rtt: () => native.rtt(),
    outboundStream() {
      const opened = opening.then(open)
      opening = opened.catch(() => {})
      return opened
    },
    async inboundStream() {
      const stream = await native.inboundStream()
      await stream.read(1)
      return stream
    }
  }
}
