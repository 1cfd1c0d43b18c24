/** What the fake daemon answers: one of each document of the admin API. */
export const release = {
  name: '@acme/tool',
  version: '1.2.0',
  type: 'package',
  publisher: 'z6MkOwner',
  id: 'bafyrecord',
  content: 'bafycontent',
  sizeBytes: 1_500_000,
  status: 'published',
  access: 'public',
  libraries: ['12D3KooB'],
  local: 'complete',
  attestations: []
}
export const peer = {
  peerId: '12D3KooA',
  addresses: ['/ip4/1.2.3.4/udp/1/quic-v1'],
  direction: 'out',
  rttMs: 1.5,
  agent: 'catalog/0.1.0',
  health: 0.75,
  score: 0.5,
  limits: { up: 0, down: 0, burst: 5_000_000, isSet: false }
}
export const topology = {
  self: { peerId: '12D3KooSelf', region: null },
  strategy: 'lowest-latency',
  isInForce: false,
  regions: [{ name: 'eu-west', source: 'told', peers: 2, connected: 1, roundTripMs: 12.34 }],
  peers: [
    {
      peerId: '12D3KooA',
      connection: 'direct',
      region: { name: 'eu-west', source: 'told' },
      roundTripMs: 12.34,
      p95Ms: 80,
      lateMs: 80,
      goodput: { down: 5_000_000, up: null },
      failureRate: 0.25,
      uptime: 1,
      transfers: 0,
      health: 0.825,
      reasons: [{ code: 'failing', text: '25 % of what it was asked for lately failed', weight: 0.175 }],
      score: 0.8
    }
  ]
}
export const verified = {
  ok: true,
  checked: 7,
  bytes: 4096,
  missing: 0,
  corrupt: 0,
  bad: [],
  partial: [],
  repaired: [],
  trees: [
    {
      library: 'home',
      ok: true,
      root: 'ab'.repeat(32),
      records: 2,
      nodes: 1,
      problems: ['the node 3 of the tree is missing'],
      problemCount: 1,
      rebuilt: true
    }
  ]
}
export const fetched = {
  id: 'bafyrecord',
  name: 'tool',
  version: '1.2.0',
  content: 'bafycontent',
  sizeBytes: 100,
  files: 2,
  owner: 'z6MkOwner',
  status: 'published',
  dependencies: [],
  bytesFetched: 100,
  bytesReused: 0,
  sources: [{ peerId: '12D3KooA', bytes: 100 }],
  tookMs: 12
}
export const held = {
  content: 'bafycontent',
  state: 'complete',
  sizeBytes: 1_500_000,
  files: 3,
  usedAt: '2026-11-29T10:00:00.000Z',
  releases: ['@acme/tool@1.2.0', 'other@1.0.0'],
  pins: ['other@1.0.0'],
  isOwn: true
}
export const copied = {
  to: '/mnt/new',
  ok: true,
  releases: 2,
  copiedBytes: 1_500_000,
  reusedBytes: 100,
  failed: 0,
  notCopied: [],
  tookMs: 1000
}
export const why = {
  spec: 'tool',
  name: 'tool',
  releases: [release],
  holders: [{ peerId: '12D3KooA', source: 'dht', ageMs: 1000, lastError: 'timed out' }],
  local: 'none',
  reasons: ['nobody answered']
}
export const status = {
  state: 'running',
  health: { score: 1, reasons: [] },
  alerts: [],
  uptimeMs: 61_000,
  peers: 2,
  reachability: { state: 'relayed', relays: ['12D3KooA'] },
  library: { root: null, revision: 4, releases: 3 },
  store: { bytes: 1000, quotaBytes: 2000, chunks: 5, contents: 2, damaged: 0 },
  memory: { rssBytes: 80_000_000 },
  queues: {},
  rates: {},
  version: '0.1.0'
}
