import { setTimeout as sleep } from 'node:timers/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { pull } from '../../../protocols/quic/index.ts'
import { quicNode } from './node.ts'

/**
 * Reads a stream, for a while far slower than it is sent, then to its end; tells its highest RSS while slow,
 * and at the end what it read.
 */
const [address, slowMs] = [process.argv[2] ?? '', Number(process.argv[3])]
const node = await quicNode()
const stream = await node.dialProtocol(multiaddr(address), '/bulk/1')
let maxRssBytes = 0
setInterval(() => {
  maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss())
}, 20)
const startMs = performance.now()
let readBytes = 0
let slowBytes = 0
let hasReported = false
for await (const part of pull(stream)) {
  readBytes += part.byteLength
  if (performance.now() - startMs < slowMs) {
    slowBytes = readBytes
    await sleep(50)
  } else if (!hasReported) {
    hasReported = true
    process.send?.({ slowBytes, maxRssBytes })
  }
}
process.send?.({ readBytes })
