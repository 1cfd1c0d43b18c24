import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { CID } from 'multiformats/cid'
import { startPeer } from './peers.ts'

const kind = process.argv[2]!,
  rounds = Number(process.argv[3] ?? 2),
  base = process.argv[4] ?? '/tmp/fb'
const home = mkdtempSync(base + '/s-')
const child = spawn(
  process.execPath,
  [
    ...(process.env.SPROF ? ['--cpu-prof', '--cpu-prof-dir=/tmp/fb/prof-s'] : []),
    import.meta.dirname + '/.serve.ts',
    home,
    kind
  ],
  { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] }
)
const info = await new Promise<{ addr: string; record: string }>(r =>
  child.stdout!.once('data', d => r(JSON.parse(String(d))))
)
const ask = (m: string) =>
  new Promise<any>(r => {
    child.once('message', r)
    child.send(m)
  })
for (let i = 0; i < rounds; i++) {
  const h = mkdtempSync(base + '/c-')
  const p = await startPeer({ home: h })
  const peer = peerIdFromString(info.addr.split('/p2p/')[1]!)
  await p.libp2p.peerStore.merge(peer, { multiaddrs: [multiaddr(info.addr)] })
  await p.libp2p.dial(peer)
  await ask('cpu')
  const eld = monitorEventLoopDelay({ resolution: 1 })
  eld.enable()
  const c = process.cpuUsage()
  const t = performance.now()
  const r = await p.fetcher.fetch({ record: CID.parse(info.record), peers: [peer] })
  const ms = performance.now() - t
  const d = process.cpuUsage(c)
  eld.disable()
  const total = r.bytesFetched + r.bytesReused
  console.log(
    kind,
    Math.round(ms),
    'ms',
    Math.round(total / ms / 1e3),
    'MB/s wire',
    r.sources[0]?.bytes,
    'client cpu',
    (d.user / 1e6).toFixed(2),
    (d.system / 1e6).toFixed(2),
    'rss',
    Math.round(process.memoryUsage().rss / 1e6),
    'eld p99',
    (eld.percentile(99) / 1e6).toFixed(1),
    'max',
    (eld.max / 1e6).toFixed(1),
    'server',
    JSON.stringify(await ask('cpu'))
  )
  await p.close()
  rmSync(h, { recursive: true })
}
child.send('stop')
child.once('exit', () => rmSync(home, { recursive: true }))
