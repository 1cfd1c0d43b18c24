import { fork } from 'node:child_process'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { drained, pull } from '../../../protocols/index.ts'
import { createNode } from './nodes.ts'

const N = 1 << 30
if (process.argv[2] === 'serve') {
  const n = await createNode()
  const buf = new Uint8Array(1 << 20)
  await n.handle('/raw', async s => {
    for (let i = 0; i < N; i += buf.length) {
      await drained(s)
      s.send(buf)
    }
    await s.close()
  })
  process.send!(n.getMultiaddrs()[0]!.toString())
  process.on('message', () => {
    const c = process.cpuUsage()
    process.send!([c.user / 1e6, c.system / 1e6])
  })
} else {
  const child = fork(import.meta.filename, ['serve'])
  const addr = await new Promise<string>(r => child.once('message', r as any))
  const n = await createNode()
  const c = await n.dial(multiaddr(addr))
  const s = await c.newStream('/raw')
  const t = performance.now()
  const cpu = process.cpuUsage()
  let got = 0
  for await (const b of pull(s)) got += b.byteLength
  const d = process.cpuUsage(cpu)
  const ms = performance.now() - t
  child.send('x')
  const sc = await new Promise<any>(r => child.once('message', r))
  console.log(
    'raw quic',
    got,
    Math.round(ms),
    'ms',
    Math.round(got / ms / 1e3),
    'MB/s client cpu',
    d.user / 1e6,
    d.system / 1e6,
    'server',
    sc
  )
  child.kill()
  await n.stop()
  process.exit(0)
}
