import { expect, it } from 'vitest'
import { isOnlyLocal } from '../../../node/services/doctor.ts'

it.each([
  [['/ip4/127.0.0.1/udp/1/quic-v1', '/ip6/::1/udp/1/quic-v1'], true],
  [['/ip4/127.0.0.1/udp/1/quic-v1', '/ip4/192.168.1.2/udp/1/quic-v1'], false],
  [['/dns4/example.org/udp/1/quic-v1'], false],
  [['/ip6/::10/udp/1/quic-v1'], false]
])('tells whether %j can be reached only from this machine', (addresses, expected) => {
  expect(isOnlyLocal(addresses)).toBe(expected)
})
