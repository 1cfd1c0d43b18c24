import { instance } from '@viz-js/viz'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { graphOf, MAX_DRAWN } from '../../../cli/topology/graph.ts'
import { topology } from './support/answers.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

type Reply = Parameters<typeof graphOf>[0]

const [peer] = topology.peers
const replyOf = (peers: object[]): Reply =>
  ({ ...topology, peers: peers.map(each => ({ ...peer, ...each })) }) as Reply

describe('the drawing of a topology', () => {
  it('has this node, its peers in their regions, and how each is connected', async () => {
    const reply = replyOf([
      {},
      {
        peerId: '12D3KooB',
        connection: 'relayed',
        region: { name: 'near', source: 'measured' },
        health: 0.3
      },
      { peerId: '12D3KooC', connection: 'away' }
    ])
    const { subgraphs, edges } = graphOf(reply)
    const inRegions = subgraphs.map(({ graphAttributes, nodes }) => [
      graphAttributes.label,
      nodes.map(({ name }) => name)
    ])
    expect(inRegions).toEqual([
      ['eu-west', ['peer1', 'peer3']],
      ['(near)', ['peer2']]
    ])
    expect(edges.map(({ head, attributes }) => [head, attributes.style])).toEqual([
      ['peer1', 'solid'],
      ['peer2', 'dashed'],
      ['peer3', 'dotted']
    ])
    const svg = (await instance()).renderString(graphOf(reply), { format: 'svg' }).replaceAll('&#45;', '-')
    for (const text of [
      'this node',
      'eu-west',
      '(near)',
      'health 83 %',
      '12.3 ms',
      'down 5 MB/s',
      '25 % of what'
    ])
      expect(svg).toContain(text)
  })

  it('shows what anybody made up as it is, and takes none of it for its own language', async () => {
    const evil = '"];}<script>&\\N\\l\u202e\u0007'
    const viz = await instance()
    const graph = graphOf(replyOf([{ peerId: evil, region: { name: evil, source: 'told' }, reasons: [] }]))
    const svg = viz.renderString(graph, { format: 'svg' })
    for (const harmful of ['<script', '\u202e', '\u0007']) expect(svg).not.toContain(harmful)
    // No name of a node in place of `\N`.
    expect(svg).toContain('&lt;script&gt;&amp;\u2216N\u2216l')
    // The other form is read again as the same: only the order of the nodes is another.
    const again = viz.renderString(viz.renderString(graph, { format: 'canon' }), { format: 'svg' })
    const wordsOf = (drawing: string): string[] => drawing.match(/>[^<>]+<\/text>|title="[^"]*"/g)!.toSorted()
    expect(wordsOf(again)).toEqual(wordsOf(svg))
  })

  it('is of so many peers at most', () => {
    const many = Array.from({ length: MAX_DRAWN + 50 }, (_, at) => ({ peerId: `peer-${at}` }))
    expect(graphOf(replyOf(many)).edges).toHaveLength(MAX_DRAWN)
  })
})

describe('catalog topology', () => {
  let folder: ReturnType<typeof temporaryFolder>
  let daemon: FakeDaemon
  beforeEach(async () => {
    folder = temporaryFolder()
    daemon = await startFakeDaemon(folder.folder)
    daemon.routes.set('GET /v1/topology', () => ({ json: topology }))
  })
  afterEach(async () => {
    await daemon.close()
    folder.remove()
  })

  it('asks for the order of a strategy, and shows each peer on a line with what takes from its health', async () => {
    const { stdout } = await cli(['topology', '--strategy', 'lowest-latency'], { home: daemon.home })
    expect(String(daemon.seen[0]?.url)).toMatch(/strategy=lowest-latency$/)
    expect(stdout).toContain(
      '12D3KooA  direct      eu-west  12.3 ms  80 ms  5 MB/s      25 %    100 %   0.80   83 %    25 % of what'
    )
  })

  it('prints one document with --format json as with --json, and no drawing with --json', async () => {
    const { home } = daemon
    const asJson = await cli(['topology', '--json'], { home })
    expect(JSON.parse(asJson.stdout)).toEqual(topology)
    expect((await cli(['topology', '--format', 'json'], { home })).stdout).toBe(asJson.stdout)
    const refused = await cli(['topology', '--format', 'svg', '--json'], { home })
    expect(JSON.parse(refused.stdout)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } })
    expect(refused.status).toBe(2)
    const unknown = await cli(['topology', '--strategy', 'fastest'], { home })
    expect(unknown.stderr).toMatch(/Allowed choices are shortest-path/)
  })
})
