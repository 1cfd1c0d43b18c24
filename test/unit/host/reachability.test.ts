import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { dhtModeOf, isUntried, type OwnAddress, reachabilityOf } from '../../../node/host/reachability.ts'
import { reachCheck } from '../../../node/services/doctor.ts'

const RELAY = '12D3KooWRm1LqZQ2M3TQj1qieZja6xCc9WebQrmKEuDN4wPrkoCW'
const own = (address: string, more: Partial<OwnAddress> = {}): OwnAddress => ({
  multiaddr: multiaddr(address),
  verified: true,
  type: 'transport',
  expires: 0,
  ...more
})
const at = (address: string) => ({ remoteAddr: multiaddr(address) })
const HOME = own('/ip4/192.168.1.2/udp/4747/quic-v1')
const OUTSIDE = '/ip4/45.1.0.1/udp/4747/quic-v1'
const CIRCUIT = own(`${OUTSIDE}/p2p/${RELAY}/p2p-circuit`)

describe('reachability', () => {
  test.each([
    ['nothing but the local network', [HOME], [at('/ip4/192.168.1.3/udp/1/quic-v1')], 'local'],
    ['behind NAT with peers outside', [HOME], [at(OUTSIDE)], 'unreachable'],
    ['behind NAT with a relay', [HOME, CIRCUIT], [at(OUTSIDE)], 'relayed'],
    ['a public address nobody has tried', [own(OUTSIDE, { verified: false })], [at(OUTSIDE)], 'unknown'],
    ['a public address that works', [HOME, own(OUTSIDE)], [], 'direct'],
    ['one that works, and a relay from before', [own(OUTSIDE), CIRCUIT], [], 'direct'],
    [
      'an address the operator announces',
      [HOME, own('/dns4/a.example/tcp/1', { type: 'announce' })],
      [],
      'direct'
    ],
    [
      'a public address that failed',
      [own(OUTSIDE, { verified: false, expires: 1 })],
      [at(OUTSIDE)],
      'unreachable'
    ],
    [
      'one only observed by a peer',
      [HOME, own(OUTSIDE, { verified: false, type: 'observed' })],
      [at(OUTSIDE)],
      'unreachable'
    ]
  ] as const)('%s is %s', (_name, addresses, connections, state) => {
    expect(reachabilityOf(addresses, connections)).toBe(state)
  })

  test('who cannot be dialled is a client of the DHT', () => {
    expect(['direct', 'unknown', 'local'].map(state => dhtModeOf(state as never))).toEqual(
      Array(3).fill('server')
    )
    expect(['relayed', 'unreachable'].map(state => dhtModeOf(state as never))).toEqual(
      Array(2).fill('client')
    )
  })

  test('only an address of an interface is told untried, and only before its first verdict', () => {
    expect(isUntried(own(OUTSIDE, { verified: false }))).toBe(true)
    expect(isUntried(own(OUTSIDE, { verified: false, expires: 1 }))).toBe(false)
    expect(isUntried(own(OUTSIDE, { verified: false, type: 'observed' }))).toBe(false)
    expect(isUntried(own(OUTSIDE))).toBe(false)
  })

  test('the doctor warns of a node that nobody can reach, and says what to do', () => {
    expect(reachCheck({ state: 'unreachable', relays: [] })).toMatchObject({
      level: 'warn',
      hint: expect.stringMatching(/forward.*network\.announce.*relay\.serve/)
    })
    for (const state of ['direct', 'relayed', 'unknown', 'local'] as const)
      expect(reachCheck({ state, relays: [RELAY] }).level).toBe('ok')
  })
})
