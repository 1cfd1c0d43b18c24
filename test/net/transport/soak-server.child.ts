import type { Connection, Stream } from '@libp2p/interface'
import { pull } from '../../../protocols/quic/index.ts'
import { quicNode, sendBytes } from './node.ts'

/** Sends `argv[2]` bytes on each stream, and halfway does what the request says. Ends at once on an unhandled rejection. */
const totalBytes = Number(process.argv[2])
process.on('unhandledRejection', error => {
  console.error(error)
  process.exit(2)
})
const node = await quicNode({ listen: true, maxIdleTimeoutMs: Number(process.argv[3]) })

const halfway: Record<string, (stream: Stream, connection: Connection) => void> = {
  reset: stream => stream.abort(new Error('reset')),
  'abort connection': (_stream, connection) => connection.abort(new Error('abort')),
  'close connection': (_stream, connection) => void connection.close().catch(() => {}),
  stop: () => {
    void Promise.resolve(node.stop()).then(() => process.exit(0))
  }
}

async function serve(stream: Stream, connection: Connection): Promise<void> {
  const request = (await pull(stream).next()).value ?? new Uint8Array()
  const act = halfway[Buffer.from(request).toString()]
  let hasActed = false
  await sendBytes(stream, totalBytes, sent => {
    if (hasActed || sent < totalBytes / 2) return
    hasActed = true
    act?.(stream, connection)
  })
  await stream.close()
}

await node.handle(
  '/soak/1',
  (stream, connection) => {
    serve(stream, connection).catch(error => stream.abort(error))
  },
  { maxInboundStreams: 100 }
)
process.on('disconnect', () => process.exit(0))
// The parent may have ended meanwhile.
process.send?.(node.getMultiaddrs()[0]?.toString(), () => {})
