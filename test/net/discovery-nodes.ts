import { generateKeyPair } from '@libp2p/crypto/keys'
import { identify } from '@libp2p/identify'
import type { Libp2p } from '@libp2p/interface'
import { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import { ping } from '@libp2p/ping'
import { createLibp2p } from 'libp2p'
import { silentLogger } from '../../base/index.ts'
import { createDiscovery, type Discovery } from '../../discovery/index.ts'
import { protocolId, quicTransport } from '../../protocols/index.ts'
import { eventually } from '../eventually.ts'
import { MemoryDatabase } from '../unit/discovery/memory-database.ts'

export interface TestNode {
  libp2p: Libp2p
  discovery: Discovery
  stop(): Promise<void>
}

/** Of all nodes of a network to their first peers, which share one process. */
const CONNECT_LIMIT_MS = 150_000
const NETWORK = 'test'
/** Nobody asks again who did not answer in this time: all nodes share one process, which may be kept waiting. */
const IDENTIFY_TIMEOUT_MS = 120_000

/** A node over QUIC on loopback with kad-dht and discovery, its database in memory. */
export async function startNode(): Promise<TestNode> {
  const privateKey = await generateKeyPair('Ed25519')
  const libp2p = await createLibp2p({
    privateKey,
    start: false,
    addresses: { listen: ['/ip4/127.0.0.1/udp/0/quic-v1'] },
    transports: [quicTransport()],
    connectionMonitor: { enabled: false },
    connectionManager: {
      maxConnections: 300,
      inboundConnectionThreshold: 1000,
      maxIncomingPendingConnections: 100
    },
    services: {
      identify: identify({ timeout: IDENTIFY_TIMEOUT_MS }),
      ping: ping(),
      dht: kadDHT({
        protocol: protocolId(NETWORK, 'kad', 1),
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        maxInboundStreams: 256,
        maxOutboundStreams: 256
      })
    }
  })
  const discovery = await createDiscovery(
    { libp2p, privateKey, database: new MemoryDatabase(), log: silentLogger },
    { networkId: NETWORK }
  )
  await discovery.start()
  await libp2p.start()
  return {
    libp2p,
    discovery,
    async stop() {
      await discovery.stop()
      await libp2p.stop()
    }
  }
}

/** Earlier nodes that each node dials; kad-dht brings it to more, but not to a number that a test could wait for. */
const DIALLED_PEERS = 8

/** Nodes of which each knows the first and the last few before it; resolves when identify has told them of each other. */
export async function startNetwork(count: number): Promise<TestNode[]> {
  const nodes: TestNode[] = []
  for (let i = 0; i < count; i++) {
    const node = await startNode()
    const known = new Set([...nodes.slice(0, 1), ...nodes.slice(-DIALLED_PEERS)])
    await Promise.all(Array.from(known, ({ libp2p }) => node.libp2p.dial(libp2p.getMultiaddrs())))
    nodes.push(node)
  }
  const enough = Math.min(count - 1, DIALLED_PEERS)
  await eventually(
    () => nodes.every(({ discovery }) => discovery.stats().connectedPeers >= enough),
    CONNECT_LIMIT_MS
  )
  return nodes
}

/** Makes a node look killed: its connections stay for a while, and nothing that is asked over them is answered. */
export async function hang(node: TestNode): Promise<void> {
  for (const [name, version] of [
    ['find', 1],
    ['provide', 1],
    ['kad', 1]
  ] as const)
    await node.libp2p.handle(protocolId(NETWORK, name, version), () => undefined, { force: true })
}

/** The value below which the share `part` of the values lie. */
export function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!
}
