/** Requests and answers of the commands about peers, for commands.test.ts. */
import { peer } from './answers.ts'

/** Of `peers show`. */
const standing = {
  peerId: '12D3KooA',
  score: 0,
  weight: 0.25,
  creditBytes: -2e9,
  ledger: {
    since: '2026-01-01T00:00:00.000Z',
    sentBytes: 3e9,
    receivedBytes: 1e9,
    ratio: 1 / 3,
    recent: { sentBytes: 3e9, receivedBytes: 1e9, transfers: 4, failures: 1.25, violations: 0 }
  },
  receipts: { shown: 2, adds: 0.0512 },
  network: { prefix: '192.0.2.0/24', peers: 2 },
  leftAlone: null,
  deniedForMs: 0,
  contradictions: [{ library: '00', epoch: 1, revision: 7, roots: ['01', '02'], counts: true }],
  forfeitedUntil: '2026-02-01T00:00:00.000Z',
  ban: null,
  reasons: ['it took much', 'it told two stories'],
  connection: null,
  limits: { up: 0, down: 0, burst: 5e6, isSet: false }
}
const standingText = `peer            12D3KooA
connection      none
gave            1 GB in all since 2026-01-01T00:00:00.000Z
took            3 GB in all
ratio           0.33
failures        1.3
violations      0
credit          owes 2 GB
receipts        2 of others, which add 0.05 to the score
score           0.00
weight          0.25
limits          none
network         192.0.2.0/24, 2 known
contradictions  library 00, epoch 1, revision 7: 01 and 02
forfeited       until 2026-02-01T00:00:00.000Z
why             it took much
                it told two stories`

export const PEER_CASES = [
  {
    argv: ['peers', 'list'],
    route: 'GET /v1/peers',
    answer: { peers: [peer], limited: [], banned: [] },
    text: '1.5 ms'
  },
  {
    argv: ['peers', 'limit', '12D3KooA', '--rate', '2MB/s', '--burst', '1MiB'],
    route: 'PUT /v1/peers/12D3KooA/limits',
    answer: { peerId: '12D3KooA', limits: { up: 2e6, down: 2e6, burst: 1_048_576, isSet: true } },
    body: { up: 2e6, down: 2e6, burst: 1_048_576 },
    text: 'up 2 MB/s, down 2 MB/s, burst 1.05 MB'
  },
  {
    argv: ['peers', 'limit', '12D3KooA', '--rate', '2MB/s', '--down', '0'],
    route: 'PUT /v1/peers/12D3KooA/limits',
    answer: { peerId: '12D3KooA', limits: { up: 2e6, down: 0, burst: 5e6, isSet: true } },
    body: { up: 2e6, down: 0 },
    text: 'down unlimited'
  },
  {
    argv: ['peers', 'limit', '12D3KooA', '--clear'],
    route: 'DELETE /v1/peers/12D3KooA/limits',
    answer: { peerId: '12D3KooA', limits: { up: 0, down: 0, burst: 5e6, isSet: false } },
    text: 'none'
  },
  {
    argv: ['peers', 'ban', '12D3KooA', '--reason', 'scans us'],
    route: 'PUT /v1/peers/12D3KooA/ban',
    answer: { peerId: '12D3KooA', bannedAt: '2026-01-01T00:00:00.000Z', reason: 'scans us' },
    body: { reason: 'scans us' },
    text: '12D3KooA is banned'
  },
  {
    argv: ['peers', 'unban', '12D3KooA'],
    route: 'DELETE /v1/peers/12D3KooA/ban',
    answer: { peerId: '12D3KooA', bannedAt: '2026-01-01T00:00:00.000Z' },
    text: '12D3KooA is banned no more'
  },
  {
    argv: ['peers', 'show', '12D3KooA'],
    route: 'GET /v1/peers/12D3KooA',
    answer: standing,
    text: standingText
  },
  {
    argv: ['peers', 'connect', '/ip4/1.2.3.4/udp/1/quic-v1'],
    route: 'POST /v1/peers',
    answer: peer,
    body: { address: '/ip4/1.2.3.4/udp/1/quic-v1' },
    text: 'connected to 12D3KooA'
  },
  {
    argv: ['peers', 'disconnect', '12D3KooA'],
    route: 'DELETE /v1/peers/12D3KooA',
    answer: {},
    document: { peerId: '12D3KooA' },
    text: 'disconnected'
  }
]
