import { afterEach, beforeEach, expect, it } from 'vitest'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

const RULE = { name: 'tool', strategy: 'merge', origin: 'node', subject: 'tool', pinned: null }
const ITEM = { ...RULE, outcome: 'open', equivocated: true, owners: 2, versions: ['1.0.0'] }
const CLAIM = {
  version: '1.0.0',
  id: 'bafyrecord',
  content: 'bafycontent',
  sizeBytes: 1_500_000,
  publishedAt: '2026-01-01T00:00:00.000Z',
  sequence: 1,
  status: 'yanked',
  counts: true,
  equivocated: true,
  attestations: [{ signer: 'z6MkTester', statement: 'tested', weight: 0.5 }]
}

let folder: ReturnType<typeof temporaryFolder>
let home: string
let daemon: FakeDaemon
beforeEach(async () => {
  folder = temporaryFolder()
  home = folder.folder
  daemon = await startFakeDaemon(home)
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

it('lists, with what is open first seen, and says how to go on', async () => {
  daemon.routes.set('GET /v1/conflicts', () => ({ json: { conflicts: [ITEM], next: 'tool' } }))
  const { stdout, stderr } = await cli(['conflicts', 'list', '--limit', '1'], { home })
  expect(stdout).toMatch(/^NAME +OUTCOME +STRATEGY/)
  expect(stdout).toMatch(/tool +open, equivocated +merge \(set here for tool\) +2 +1\.0\.0 +nobody/)
  expect(stderr).toContain("More: catalog conflicts list --after 'tool'")
  daemon.routes.set('GET /v1/conflicts', () => ({ json: { conflicts: [] } }))
  expect((await cli(['conflicts', 'list'], { home })).stderr).toContain('No name here is claimed')
})

it('shows each claimant with its evidence, and nothing that could drive a terminal', async () => {
  const claimants = [
    { publisher: 'z6MkOwner', pinned: true, weight: 0.5, claims: [{ ...CLAIM, version: '1.0.0\u001b[2J' }] }
  ]
  daemon.routes.set('GET /v1/conflicts/*', () => ({ json: { ...ITEM, claimants } }))
  const { stdout } = await cli(['conflicts', 'show', '@acme/tool', '--local'], { home })
  expect(daemon.seen[0]!.url.pathname).toBe('/v1/conflicts/%40acme%2Ftool')
  expect(daemon.seen[0]!.url.searchParams.get('network')).toBe('false')
  for (const part of [
    'z6MkOwner (pinned here)',
    'tested by z6MkTester, weight 0.5',
    'counts here',
    'yanked, equivocated'
  ])
    expect(stdout).toContain(part)
  expect(stdout).not.toContain('\u001b')
})

it('resolves by an owner or a strategy, or clears it: one decision at a time', async () => {
  daemon.routes.set('PUT /v1/conflicts/*', () => ({ json: { ...RULE, pinned: 'z6MkOwner' } }))
  daemon.routes.set('DELETE /v1/conflicts/*', () => ({ json: { ...RULE, origin: 'config' } }))
  const resolve = (...args: string[]) => cli(['conflicts', 'resolve', 'tool', ...args], { home })
  const bodies = (): unknown[] => daemon.seen.map(({ body }) => body.toString())
  expect((await resolve('--owner', 'z6MkOwner')).stdout).toBe('tool is pinned to z6MkOwner\n')
  expect((await resolve('--strategy', 'merge')).stdout).toBe('conflicts of tool: merge (set here for tool)\n')
  expect((await resolve('--clear')).stdout).toBe('conflicts of tool: merge (configured for tool)\n')
  expect(bodies()).toEqual(['{"owner":"z6MkOwner"}', '{"strategy":"merge"}', ''])
  for (const args of [[], ['--owner', 'z6MkOwner', '--clear'], ['--strategy', 'guess']]) {
    const { status, stderr } = await resolve(...args)
    expect([status, stderr]).toEqual([2, expect.stringContaining('INVALID_ARGUMENT')])
  }
  expect(bodies()).toHaveLength(3)
})
