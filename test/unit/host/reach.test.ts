import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { Reach, type ReachModules } from '../../../node/host/reach.ts'
import type { OwnAddress } from '../../../node/host/reachability.ts'

const HOME: OwnAddress = {
  multiaddr: multiaddr('/ip4/192.168.1.2/udp/1'),
  verified: true,
  type: 'transport',
  expires: 0
}
const OUTSIDE: OwnAddress = { ...HOME, multiaddr: multiaddr('/ip4/45.1.0.1/udp/1') }

test('the network interfaces are listed once for all who ask within a second', () => {
  let nowMs = 0
  let listed = 0
  let own = [HOME]
  const getAddressesWithMetadata = (): OwnAddress[] => {
    listed++
    return own
  }
  const libp2p = { components: { addressManager: { getAddressesWithMetadata } }, getConnections: () => [] }
  const clock = { monotonicMs: () => nowMs }
  const reach = new Reach({ libp2p, clock } as unknown as ReachModules)
  expect(reach.now).toEqual({ state: 'local', relays: [] })
  own = [OUTSIDE]
  nowMs = 999
  expect(reach.now.state).toBe('local')
  expect(listed).toBe(1)
  nowMs = 1000
  expect(reach.now.state).toBe('direct')
  expect(listed).toBe(2)
})
