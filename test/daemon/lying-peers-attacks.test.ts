/**
 * A daemon that serves, and peers that flood it, never read, or open streams for nothing. Under each attack, and after all of
 * them, an honest daemon still fetches from it; its memory stays within bounds, and its log knows no error.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { MIB } from '../../base/index.ts'
import { Hostile } from './support/hostile.ts'
import { ATTACK_KINDS, type AttackKind } from './support/hostile-attacks.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let hostile: Hostile
let server: TestDaemon
let client: TestDaemon
let record: string
let calmBytes: number
beforeAll(async () => {
  net = await TestNet.create()
  ;[hostile, server] = await Promise.all([Hostile.start(), net.start('server')])
  client = await net.start('client', { join: server })
  await eventually(async () => (await server.ok('GET', '/v1/status')).peers === 1)
  const published = await server.publish({ name: 'served', version: '1.0.0', files: filesOf('served') })
  record = published.record.id.toString()
  calmBytes = (await server.ok('GET', '/v1/status')).memory.rssBytes
})
afterAll(async () => {
  await hostile.stop()
  await net.destroy()
})

/** An honest fetch under attack, on a loaded machine. */
const FETCH_MS = 15_000
/** What all attacks together may add: 256 MB of unread windows is the daemon's own bound. */
const GROWTH_BYTES = 350 * MIB

const filesOf = (name: string): Record<string, string> => ({
  'a.txt': name,
  'big.txt': `${name} in many chunks that differ, line by line\n`.repeat(80_000)
})

let count = 0

/** Publishes something new and fetches it from the server that is under attack. */
async function expectServed(): Promise<void> {
  const name = `beside-${++count}`
  await server.publish({ name, version: '1.0.0', files: filesOf(name) })
  const startedMs = performance.now()
  const fetched = await client.operation('/v1/fetches', { spec: name, from: server.address })
  expect(fetched.error).toBeUndefined()
  expect(fetched.result).toMatchObject({ name, sources: [{ peerId: server.peerId }] })
  expect(performance.now() - startedMs).toBeLessThan(FETCH_MS)
}

/** Attacks that the server must have cut off or refused, at least in part. */
const REFUSED: ReadonlySet<AttackKind> = new Set<AttackKind>([
  'a flood of requests',
  'a flood of provider claims',
  'streams without a request'
])

describe('a daemon serves the others during', () => {
  it.each(ATTACK_KINDS)('%s', { timeout: 60_000 }, async kind => {
    const attacker = await hostile.join(server)
    const attacking = attacker.attack(kind, record)
    await expectServed()
    const { done, refused } = await attacking
    if (REFUSED.has(kind)) expect(refused, `of ${done}`).toBeGreaterThan(0)
    await expectServed()
    const status = await server.ok('GET', '/v1/status')
    expect(status.state).toBe('running')
    expect(status.memory.rssBytes - calmBytes).toBeLessThan(GROWTH_BYTES)
  })

  it('has logged what it cut, and no error', async () => {
    expect((await server.operation('/v1/verifications', {})).result).toMatchObject({ ok: true, bad: [] })
    expect((await server.stop()).code).toBe(0)
    const lines = await server.log()
    expect(lines.filter(line => Number(line.level) >= 50)).toEqual([])
    expect(lines.some(line => line.code === 'PROTOCOL_VIOLATION')).toBe(true)
  })
})
