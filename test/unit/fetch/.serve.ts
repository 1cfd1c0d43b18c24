// args: home kind ; prints JSON {addr, peer, record}
import { createHash, randomFillSync } from 'node:crypto'
import { pack } from 'tar-stream'
import { publishContent, startPeer } from './peers.ts'

const [, , home, kind, version = '1'] = process.argv
const p = await startPeer({ home })
function* files() {
  if (kind === 'big') yield ['big.bin', 1 << 30] as const
  else
    for (let i = 0; i < 10000; i++)
      yield [`d${i % 100}/f${String(i).padStart(5, '0')}`, 800 + ((i * 7919) % 32300)] as const
}
const t0 = performance.now()
const ing = await p.library.content.beginIngest({})
const tar = pack()
const list = [...files()].sort((a, b) => (a[0] < b[0] ? -1 : 1))
;(async () => {
  for (const [name, size] of list) {
    const e = tar.entry({ name, size, mode: 0o644 })
    let left = size
    while (left > 0) {
      const b = Buffer.allocUnsafe(Math.min(left, 1 << 20))
      randomFillSync(b)
      left -= b.length
      if (!e.write(b)) await new Promise(r => e.once('drain', r))
    }
    e.end()
    await new Promise(r => setImmediate(r))
  }
  tar.finalize()
})()
for await (const part of tar as AsyncIterable<Uint8Array>) await ing.write(new Uint8Array(part))
const res = await ing.finish()
const rec = await publishContent(p, res)
console.error('ingest', Math.round(performance.now() - t0), 'ms', res.sizeBytes)
console.log(JSON.stringify({ addr: p.libp2p.getMultiaddrs()[0]!.toString(), record: rec.id.toString() }))
let cpu = process.cpuUsage()
process.on('message', async m => {
  if (m === 'cpu') {
    const d = process.cpuUsage(cpu)
    process.send!({
      user: d.user / 1e6,
      sys: d.system / 1e6,
      rss: Math.round(process.memoryUsage().rss / 1e6)
    })
    cpu = process.cpuUsage()
  }
  if (m === 'stop') {
    await p.close()
    process.exit(0)
  }
})
