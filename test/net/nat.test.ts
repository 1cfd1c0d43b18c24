import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { behindNat, Namespaces } from '../../testnet/drivers/netns/namespaces.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { missing } from './missing.ts'

const LISTEN = '/ip4/0.0.0.0/udp/4747/quic-v1,/ip4/0.0.0.0/tcp/4747'
const MB = 1_000_000

describe.skipIf(missing !== undefined)(`behind NAT (${missing ?? 'with namespaces'})`, () => {
  let net: TestNet
  let namespaces: Namespaces
  let internet: string

  beforeEach(async () => {
    net = await TestNet.create()
    namespaces = new Namespaces()
    internet = namespaces.add('net')
    namespaces.route(internet)
  })
  afterEach(async () => {
    await net.destroy()
    namespaces.destroy()
  })

  const relayAt = (set: Record<string, string> = {}): Promise<TestDaemon> =>
    net.start('relay', {
      netns: internet,
      set: { 'network.listen': LISTEN, 'relay.serve': 'true', ...set }
    })

  /** The relay's addresses as seen from one side. */
  const atRelay = (relay: TestDaemon, host: string): string[] =>
    relay.addresses.filter(address => address.startsWith(`/ip4/${host}/`))

  const addressesOf = async (daemon: TestDaemon): Promise<string[]> =>
    (await daemon.ok('GET', '/v1/id')).addresses

  const reachability = async (daemon: TestDaemon): Promise<string> =>
    (await daemon.ok('GET', '/v1/status')).reachability.state

  /** A publisher behind one NAT and a consumer behind another, both joined to a relay. */
  async function twoBehindNat(relaySettings: Record<string, string> = {}) {
    const a = behindNat(namespaces, 'a', internet, { inside: '192.168.1', outside: '45.1.0' })
    const b = behindNat(namespaces, 'b', internet, { inside: '192.168.2', outside: '46.1.0' })
    const relay = await relayAt(relaySettings)
    const start = (name: string, netns: string, outside: string): Promise<TestDaemon> =>
      net.start(name, {
        netns,
        set: {
          'network.listen': LISTEN,
          'network.bootstrap': atRelay(relay, outside).join(',')
        }
      })
    const publisher = await start('publisher', a.host, '45.1.0.1')
    const consumer = await start('consumer', b.host, '46.1.0.1')
    await eventually(async () =>
      (await addressesOf(publisher)).some(address => address.includes('p2p-circuit'))
    )
    return { relay, publisher, consumer, a, b }
  }

  it('two nodes publish, find and fetch through a relay', { timeout: 90_000 }, async () => {
    const { relay, publisher, consumer } = await twoBehindNat()
    expect(await reachability(publisher)).toBe('relayed')
    const big = randomBytes(3 * MB)
    const { record } = await publisher.publish({
      name: 'demo',
      version: '1.0.0',
      files: { 'big.bin': big },
      wait: 1
    })
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({
      id: record.id.toString(),
      sources: [{ peerId: publisher.peerId }]
    })
    const { peers } = await consumer.ok('GET', '/v1/peers')
    const source = peers.find(({ peerId }: { peerId: string }) => peerId === publisher.peerId)
    expect(source.addresses.join()).toContain(`/p2p/${relay.peerId}/p2p-circuit`)
    await eventually(async () => (await reachability(relay)) === 'direct')
    // Nobody answers here, but the router was asked.
    const said = (await consumer.log()).map(({ msg }) => msg)
    expect(said).not.toContain('the router cannot be asked to forward ports')
  })

  it('a fetch goes on when the relay has cut its connection at the data limit', {
    timeout: 90_000
  }, async () => {
    const { publisher, consumer } = await twoBehindNat({ 'relay.dataLimit': '2MB' })
    await publisher.publish({
      name: 'demo',
      version: '1.0.0',
      files: { 'a.bin': randomBytes(MB), 'b.bin': randomBytes(MB), 'c.bin': randomBytes(MB) },
      wait: 1
    })
    const fetched = await consumer.operation('/v1/fetches', { spec: 'demo' })
    expect(fetched.error).toBeUndefined()
    expect(fetched.result).toMatchObject({ sources: [{ peerId: publisher.peerId }] })
  })
})
