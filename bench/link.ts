/**
 * `npm run bench -- link [--case N] [--tcp | --quic]`: a release moves between two real daemons over links of a certain rate, delay and loss (testnet/), beside
 * raw TCP over the same link in the same run. Wall time runs from the request to verified and synced in the sink's store.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MIB } from '../base/index.ts'
import { LinkedHosts, type LinkSettings, whyNoLink } from '../testnet/index.ts'
import { largeFile } from './support/datasets.ts'
import { type BenchNode, startNode, stopNode } from './support/network.ts'
import { measureRawTcp } from './support/raw-tcp.ts'
import { type Row, report, round } from './support/report.ts'

interface Case {
  name: string
  link: Partial<LinkSettings>
  sizeBytes: number
}

/** Large enough that the start of a connection does not decide, small enough that a lossy link is done in half a minute. */
const CASES: readonly Case[] = [
  { name: '200 Mbit/s, 20 ms', link: { rateMbit: 200, delayMs: 10 }, sizeBytes: 64 * MIB },
  { name: '1 Gbit/s, 10 ms', link: { rateMbit: 1000, delayMs: 5 }, sizeBytes: 128 * MIB },
  {
    name: '200 Mbit/s, 20 ms, 0.1 %',
    link: { rateMbit: 200, delayMs: 10, lossPercent: 0.1 },
    sizeBytes: 32 * MIB
  },
  { name: '200 Mbit/s, 20 ms, 1 %', link: { rateMbit: 200, delayMs: 10, lossPercent: 1 }, sizeBytes: 8 * MIB }
]
const QUIC = '/ip4/0.0.0.0/udp/4747/quic-v1'
const TCP = '/ip4/0.0.0.0/tcp/4747'
/** What people run listens on both. */
const LISTEN = { both: [QUIC, TCP], quic: [QUIC], tcp: [TCP] }

interface Fetched {
  sources: Array<{ bytes: number }>
}

/** Options: `--case N` measures only the Nth link, from 0; `--quic` and `--tcp` listen on one of the two only. */
export const run = async (args: string[]): Promise<void> => {
  const why = whyNoLink()
  if (why !== undefined) throw new Error(`there can be no link here: ${why}`)
  const only = args.includes('--case') ? Number(args[args.indexOf('--case') + 1]) : undefined
  const transport = args.includes('--tcp') ? 'tcp' : args.includes('--quic') ? 'quic' : 'both'
  const root = mkdtempSync(join(tmpdir(), 'catalog-bench-'))
  const hosts = await LinkedHosts.create()
  const nodes: BenchNode[] = []
  try {
    const place = (host: LinkedHosts['left']) => ({ command: host.command, listen: LISTEN[transport] })
    const source = await startNode(root, 'source', undefined, place(hosts.left))
    nodes.push(source)
    const { invite } = await source.cli.json<{ invite: string }>('invite')
    const rows: Row[] = []
    for (const [index, what] of CASES.entries()) {
      if (only !== undefined && only !== index) continue
      const spec = await publish(root, source, what)
      await hosts.set(what.link)
      // A connection from before would go by what the link was: the kernel's BBR believes the least round trip of 10 s.
      const sink = await startNode(root, `sink-${index}`, invite, place(hosts.right))
      nodes.push(sink)
      rows.push(...(await measure(what, spec, { hosts, source, sink })))
      await stopNode(nodes.pop()!)
    }
    report('link', { transport, rates: 'private addresses: none' }, rows)
  } finally {
    for (const node of nodes.toReversed()) await stopNode(node)
    await hosts.remove()
    rmSync(root, { recursive: true, force: true })
  }
}

const publish = async (root: string, source: BenchNode, { sizeBytes, name }: Case): Promise<string> => {
  const packageName = `link-${CASES.findIndex(what => what.name === name)}`
  const { folder } = largeFile(join(root, packageName), sizeBytes, packageName)
  await source.cli.json('publish', folder, '--name', packageName, '--version', '1.0.0')
  rmSync(folder, { recursive: true })
  return packageName
}

interface World {
  hosts: LinkedHosts
  source: BenchNode
  sink: BenchNode
}

const measure = async (what: Case, spec: string, { hosts, source, sink }: World): Promise<Row[]> => {
  const { name, link, sizeBytes } = what
  const rawMs = await measureRawTcp(hosts.left, hosts.right, sizeBytes)
  const [from, to] = [source.stats(), sink.stats()]
  // The admin API is loaded by its first request.
  await sink.api.call('GET', '/v1/status')
  const began = performance.now()
  const { sources } = await sink.api.operate<Fetched>('/v1/fetches', {
    spec,
    // As a ticket of other programs does: finding a holder is not what is measured.
    from: source.daemon.peerId
  })
  const wallMs = performance.now() - began
  const [sent, received] = [source.stats(), sink.stats()]

  const figures = (ms: number) => {
    const rate = sizeBytes / 1e6 / (ms / 1000)
    return { wallMs: round(ms), 'MB/s': round(rate, 1), '% of link': round((rate * 800) / link.rateMbit!, 1) }
  }
  return [
    {
      name: `${name}: fetch of ${sizeBytes / MIB} MiB`,
      ...figures(wallMs),
      'x TCP': round(wallMs / rawMs, 2),
      'CPU source ms': round(sent.cpuMs - from.cpuMs),
      'CPU sink ms': round(received.cpuMs - to.cpuMs),
      'wire / bytes': round(sources.reduce((sum, { bytes }) => sum + bytes, 0) / sizeBytes, 3)
    },
    { name: `${name}: raw TCP`, ...figures(rawMs), 'x TCP': 1 }
  ]
}
