/** Peers that leave, that die, and that are not wanted any more: what the others do about it. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { loadConfig } from '../../config/index.ts'
import { Hostile } from './support/hostile.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

const filesOf = (name: string): Record<string, string> => ({ 'a.txt': name })
const peersOf = async (daemon: TestDaemon): Promise<string[]> =>
  (await daemon.ok('GET', '/v1/peers')).peers.map(({ peerId }: { peerId: string }) => peerId)

/** A metric of a daemon, summed over its labels; 0 when nothing was counted. */
async function metric(daemon: TestDaemon, name: string): Promise<number> {
  const text = (await daemon.api('GET', '/metrics')).bytes.toString()
  const lines = text.split('\n').filter(line => line.startsWith(name) && !line.startsWith('#'))
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

describe('a peer that said goodbye', () => {
  it('is not asked for what it claimed to hold, until it comes back', async () => {
    const consumer = await net.start('consumer')
    const publisher = await net.start('publisher', { join: consumer })
    await eventually(async () => (await peersOf(consumer)).length === 1)
    await publisher.publish({ name: 'demo', version: '1.0.0', files: filesOf('demo'), wait: 1 })
    const { peerId } = publisher
    expect((await publisher.stop()).code).toBe(0)
    await eventually(async () => (await peersOf(consumer)).length === 0)

    const refused = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(refused.error).toMatchObject({ details: { asked: [{ peerId, code: 'PEER_LEFT' }] } })
    const why = await consumer.ok('GET', '/v1/why?spec=demo')
    expect(why.reasons.join('\n')).toContain('PEER_LEFT')

    const again = await net.start('publisher', { join: consumer })
    expect(again.peerId).toBe(peerId)
    await eventually(async () => (await peersOf(consumer)).length === 1)
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({ sources: [{ peerId }] })
  })

  it('is dialled again by who keeps it, but not soon', async () => {
    const seed = await net.start('seed')
    const member = await net.start('member', { join: seed })
    // Only of a peer that is known to be kept a goodbye is remembered.
    await eventually(async () => (await member.log()).some(({ msg }) => msg === 'connected to a kept peer'))
    await eventually(async () => (await peersOf(seed)).length === 1)
    await seed.stop()
    await eventually(async () => (await peersOf(member)).length === 0)
    const lost = await eventually(async () =>
      (await member.log()).find(line => line.msg === 'a kept peer was lost')
    )
    expect(lost.saidGoodbye).toBe(true)
    // Without a goodbye it is 0.5 to 1 s.
    expect(lost.waitMs).toBeGreaterThanOrEqual(16_000)
  })
})

describe('a peer that was killed and started again', () => {
  it('is fetched from long before its dead connection times out', async () => {
    const consumer = await net.start('consumer')
    const publisher = await net.start('publisher', { join: consumer })
    await eventually(async () => (await peersOf(consumer)).length === 1)
    await publisher.publish({ name: 'one', version: '1.0.0', files: filesOf('one'), wait: 1 })
    await publisher.publish({ name: 'two', version: '1.0.0', files: filesOf('two'), wait: 1 })
    expect((await consumer.operation('/v1/fetches', { spec: 'one' })).error).toBeUndefined()
    await publisher.kill()
    const again = await net.start('publisher', { join: consumer })
    await eventually(async () => (await peersOf(again)).length === 1)
    const startedMs = performance.now()
    const fetched = await eventually(async () => {
      const operation = await consumer.operation('/v1/fetches', { spec: 'two' })
      return operation.state === 'done' && operation
    })
    expect(fetched.result).toMatchObject({ sources: [{ peerId: again.peerId }] })
    const { maxIdleTimeout } = loadConfig().values.quic
    expect(performance.now() - startedMs).toBeLessThan(maxIdleTimeout / 3)
  })
})

describe('a peer that breaks the protocols again and again', () => {
  it('is disconnected, and closed when it comes back', async () => {
    const [hostile, consumer] = await Promise.all([Hostile.start(), net.start('consumer')])
    try {
      const liar = await hostile.join(consumer, { records: 'garbage frames' })
      const isDenied = async (): Promise<boolean> =>
        (await metric(consumer, 'catalog_peers_denied_peers_total')) === 1
      // What it answers when it is asked for heads counts too, so one fetch less may be enough.
      for (let n = 0; n < 5 && !(await isDenied()); n++) {
        const name = `lie-${n}`
        await liar.announce(name)
        await consumer.operation('/v1/fetches', { spec: name })
      }
      expect(await isDenied()).toBe(true)
      await eventually(async () => !(await peersOf(consumer)).includes(liar.peerId))
      const address = `/ip4/127.0.0.1/udp/1/quic-v1/p2p/${liar.peerId}`
      const refused = await consumer.api('POST', '/v1/peers', { address })
      expect(refused.status).toBe(503)
      expect(refused.json.error).toMatchObject({ code: 'CIRCUIT_OPEN', details: { peerId: liar.peerId } })
    } finally {
      await hostile.stop()
    }
  })
})
