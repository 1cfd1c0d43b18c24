import type { Libp2p, Stream } from '@libp2p/interface'
import { createLibp2p } from 'libp2p'
import { quicTransport } from '../../../protocols/quic/index.ts'

const LISTEN = '/ip4/127.0.0.1/udp/0/quic-v1'

export interface NodeOptions {
  listen?: boolean
  maxIdleTimeoutMs?: number
  parallelHandshakes?: number
}

/** libp2p with the decorator and nothing else. */
export async function quicNode(options: NodeOptions = {}): Promise<Libp2p> {
  const { listen = false, maxIdleTimeoutMs = 10_000, parallelHandshakes = 128 } = options
  return await createLibp2p({
    addresses: { listen: listen ? [LISTEN] : [] },
    transports: [
      quicTransport(
        { maxIdleTimeout: maxIdleTimeoutMs, keepAliveInterval: Math.floor(maxIdleTimeoutMs / 4) },
        { parallelHandshakes }
      )
    ],
    connectionMonitor: { enabled: false },
    connectionManager: { inboundConnectionThreshold: 1_000_000, maxIncomingPendingConnections: 1_000_000 }
  })
}

/** Sends `totalBytes`, waiting whenever the stream asks for it; `onSent` after each piece. */
export async function sendBytes(
  stream: Stream,
  totalBytes: number,
  onSent: (sentBytes: number) => void = () => {}
): Promise<void> {
  const piece = new Uint8Array(65_536)
  for (let sent = 0; sent < totalBytes; ) {
    const part = piece.subarray(0, Math.min(piece.byteLength, totalBytes - sent))
    if (!stream.send(part)) await stream.onDrain()
    sent += part.byteLength
    onSent(sent)
  }
}
