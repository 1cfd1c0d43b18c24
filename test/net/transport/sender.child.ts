import { quicNode, sendBytes } from './node.ts'

/** Sends as many bytes as asked for on each stream; tells its address, and its highest RSS when asked. */
const totalBytes = Number(process.argv[2])
const node = await quicNode({ listen: true })
await node.handle('/bulk/1', async stream => {
  await sendBytes(stream, totalBytes)
  await stream.close()
})
let maxRssBytes = 0
setInterval(() => {
  maxRssBytes = Math.max(maxRssBytes, process.memoryUsage.rss())
}, 20)
process.on('message', () => process.send?.(maxRssBytes))
process.send?.(node.getMultiaddrs()[0]?.toString())
