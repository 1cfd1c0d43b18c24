import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Namespaces } from '../../testnet/drivers/netns/namespaces.ts'
import { eventually, type TestDaemon, TestNet } from '../daemon/support.ts'
import { missing } from './missing.ts'

const LISTEN = '/ip4/0.0.0.0/udp/4747/quic-v1,/ip4/0.0.0.0/tcp/4747'
const FILES = { 'file.txt': 'some text\n' }

describe.skipIf(missing !== undefined)(`on a link (${missing ?? 'with namespaces'})`, () => {
  let net: TestNet
  let namespaces: Namespaces
  let left: string
  let right: string
  /** Name of the right side's interface. */
  let cable: string

  beforeEach(async () => {
    net = await TestNet.create()
    namespaces = new Namespaces()
    left = namespaces.add('left')
    right = namespaces.add('right')
    cable = namespaces.link(left, '10.9.0.1/24', right, '10.9.0.2/24')[1]
  })
  afterEach(async () => {
    await net.destroy()
    namespaces.destroy()
  })

  const seedOnTheLeft = (): Promise<TestDaemon> =>
    net.start('seed', { netns: left, set: { 'network.listen': LISTEN } })

  const onTheRight = (seed: TestDaemon): Promise<TestDaemon> =>
    net.start('node', {
      netns: right,
      set: {
        'network.listen': LISTEN,
        'network.bootstrap': seed.addresses.filter(address => address.startsWith('/ip4/10.9.0.1/')).join(',')
      }
    })

  const addressesAt = async (daemon: TestDaemon, peerId: string): Promise<string[]> => {
    const { peers } = await daemon.ok('GET', '/v1/peers')
    return peers.find((peer: { peerId: string }) => peer.peerId === peerId)?.addresses ?? []
  }

  const fetches = async (node: TestDaemon): Promise<boolean> =>
    (await node.operation('/v1/fetches', { spec: 'demo' })).error === undefined

  it('that drops UDP, nodes work over TCP', { timeout: 90_000 }, async () => {
    namespaces.filter(
      right,
      'add table ip wall; \
       add chain ip wall out { type filter hook output priority 0 ; }; \
       add rule ip wall out oifname != lo udp dport 1-65535 drop'
    )
    const seed = await seedOnTheLeft()
    await seed.publish({ name: 'demo', version: '1.0.0', files: FILES })
    const node = await onTheRight(seed)
    await eventually(async () => (await addressesAt(node, seed.peerId)).length > 0)
    expect((await addressesAt(node, seed.peerId))[0]).toContain('/tcp/')
    // Who is asked before the two know each other's protocols has nobody to ask.
    await eventually(() => fetches(node))
  })

  it('whose address changes, a node is back within seconds and tells its new address', {
    timeout: 90_000
  }, async () => {
    const seed = await seedOnTheLeft()
    await seed.publish({ name: 'demo', version: '1.0.0', files: FILES })
    const node = await onTheRight(seed)
    await eventually(async () => (await addressesAt(node, seed.peerId)).length > 0)
    namespaces.in(right, `ip address del 10.9.0.2/24 dev ${cable}`)
    namespaces.in(right, `ip address add 10.9.0.77/24 dev ${cable}`)
    const startMs = performance.now()
    await eventually(async () =>
      (await addressesAt(seed, node.peerId)).some(address => address.startsWith('/ip4/10.9.0.77/udp/'))
    )
    // A lost connection alone is noticed after 10 s.
    expect(performance.now() - startMs).toBeLessThan(9000)
    expect(await fetches(node)).toBe(true)
  })
})
