import { TypedEventEmitter } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { placeOf } from '../../../node/host/addresses.ts'
import { Gater } from '../../../node/host/gater.ts'

const place = (address: string): string | undefined => placeOf(multiaddr(address))

test('a place is a public IPv4 address or an IPv6 /64', () => {
  expect(place('/ip4/8.8.8.8/udp/1/quic-v1')).toBe(place('/ip4/8.8.8.8/udp/2/quic-v1/p2p-circuit'))
  expect(place('/ip4/8.8.8.8/udp/1/quic-v1')).not.toBe(place('/ip4/8.8.8.9/udp/1/quic-v1'))
  expect(place('/ip6/2a00:1:2:3::1/udp/1/quic-v1')).toBe(place('/ip6/2a00:1:2:3:ffff::2/udp/1/quic-v1'))
  expect(place('/ip6/2a00:1:2:3::1/udp/1/quic-v1')).not.toBe(place('/ip6/2a00:1:2:4::1/udp/1/quic-v1'))
  for (const local of [
    '/ip4/127.0.0.1',
    '/ip4/10.1.2.3',
    '/ip4/192.168.1.1',
    '/ip6/::1',
    '/ip6/fd00::1',
    '/ip6/fe80::1'
  ])
    expect(place(`${local}/udp/1/quic-v1`), local).toBeUndefined()
})

test('inbound connections of one public place are counted while they are open', () => {
  const refusals: string[] = []
  const gater = new Gater(
    {
      connections: () => [],
      usesLocalAddresses: () => true,
      unwanted: () => undefined,
      onRefused: reason => refusals.push(reason)
    },
    { allow: [], deny: [], bootstrap: [], maxConnections: 300, reservedSlots: 50, maxInboundPerAddress: 2 }
  )
  const from = (address: string) =>
    Object.assign(new TypedEventEmitter(), { remoteAddr: multiaddr(`${address}/udp/1/quic-v1`) }) as never
  const first = from('/ip4/8.8.8.8')
  expect(gater.denyInboundConnection(first)).toBe(false)
  expect(gater.denyInboundConnection(from('/ip4/8.8.8.8'))).toBe(false)
  expect(gater.denyInboundConnection(from('/ip4/8.8.8.8'))).toBe(true)
  expect(gater.denyInboundConnection(from('/ip4/9.9.9.9'))).toBe(false)
  ;(first as EventTarget).dispatchEvent(new Event('close'))
  expect(gater.denyInboundConnection(from('/ip4/8.8.8.8'))).toBe(false)
  for (let i = 0; i < 10; i++) expect(gater.denyInboundConnection(from('/ip4/127.0.0.1'))).toBe(false)
  expect(refusals).toEqual(['address_limit'])
})

test.each(['banned', 'misbehaved'] as const)(
  'a peer that is %s is neither dialled nor let in, by whatever way, from that moment',
  reason => {
    const refusals: string[] = []
    const peer = peerIdFromString('12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf')
    let isUnwanted = false
    const gater = new Gater(
      {
        connections: () => [],
        usesLocalAddresses: () => true,
        unwanted: id => (isUnwanted && id === peer.toString() ? reason : undefined),
        onRefused: refused => refusals.push(refused)
      },
      { allow: [], deny: [], bootstrap: [], maxConnections: 300, reservedSlots: 50, maxInboundPerAddress: 2 }
    )
    const ways = [
      () => gater.denyDialPeer(peer),
      () => gater.denyOutboundEncryptedConnection(peer),
      () => gater.denyInboundEncryptedConnection(peer),
      () => gater.denyInboundRelayedConnection(peer, peer),
      () => gater.denyInboundRelayReservation(peer)
    ]
    expect(ways.map(way => way())).toEqual(ways.map(() => false))
    isUnwanted = true
    expect(ways.map(way => way())).toEqual(ways.map(() => true))
    expect(new Set(refusals)).toEqual(new Set([reason]))
  }
)
