import { multiaddr } from '@multiformats/multiaddr'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeInvite, encodeInvite, type Invite } from '../../../discovery/index.ts'

const PEER = '12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp'
const invite: Invite = {
  networkId: 'catalog',
  addresses: [
    multiaddr(`/ip4/192.0.2.7/udp/4747/quic-v1/p2p/${PEER}`),
    multiaddr(`/dns4/seed.example.org/udp/4747/quic-v1/p2p/${PEER}`)
  ],
  grant: Uint8Array.of(1, 2, 3)
}
/** Frozen: an invite that was printed once must be readable for ever. */
const FROZEN =
  'catalog1:o2Fhglg0BMAAAgeRAhKLzQOlAyYAJAgBEiBMtav2rXn79au8yvzCadhc0mUe1LiFtYafJBrt8KW6KVhBNhBzZWVkLmV4YW1wbGUub3JnkQISi80DpQMmACQIARIgTLWr9q15-_WrvMr8wmnYXNJlHtS4hbWGnyQa7fCluilhZ0MBAgNhbmdjYXRhbG9n5nFGGA'

const plain = ({ networkId, addresses, grant }: Invite): unknown => ({
  networkId,
  addresses: addresses.map(String),
  grant: grant === undefined ? undefined : [...grant]
})

describe('invite', () => {
  it('has a form that does not change', () => {
    expect(encodeInvite(invite)).toBe(FROZEN)
    expect(plain(decodeInvite(FROZEN))).toEqual(plain(invite))
  })

  it('needs no grant and survives white space of a wrapped line', () => {
    const { networkId, addresses } = invite
    const text = encodeInvite({ networkId, addresses })
    expect(plain(decodeInvite(`  ${text.slice(0, 30)}\n  ${text.slice(30)}\n`))).toEqual(
      plain({ networkId, addresses })
    )
  })

  it('refuses every truncation and every changed character', () => {
    for (let length = 0; length < FROZEN.length; length++)
      expect(() => decodeInvite(FROZEN.slice(0, length))).toThrow(
        expect.objectContaining({ code: 'INVITE_INVALID' })
      )
    fc.assert(
      fc.property(
        fc.nat(FROZEN.length - 1),
        fc.constantFrom('A', 'z', '-', '0', '+', '/', '!'),
        (at, letter) => {
          fc.pre(FROZEN[at] !== letter)
          const changed = FROZEN.slice(0, at) + letter + FROZEN.slice(at + 1)
          expect(() => decodeInvite(changed)).toThrow(expect.objectContaining({ code: 'INVITE_INVALID' }))
        }
      )
    )
  })

  it('says what is wrong', () => {
    expect(() => decodeInvite('catalog2:abc')).toThrow(/form catalog2/)
    expect(() => decodeInvite('https://example.org')).toThrow(/does not start with catalog1:/)
    expect(() => decodeInvite(`catalog1:${'A'.repeat(30_000)}`)).toThrow(/longer than/)
  })

  it('refuses any bytes without another error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
        const text = `catalog1:${Buffer.from(bytes).toString('base64url')}`
        expect(() => decodeInvite(text)).toThrow(expect.objectContaining({ code: 'INVITE_INVALID' }))
      })
    )
  })

  it('keeps its bounds when it is made', () => {
    const bad: Invite[] = [
      { ...invite, networkId: '' },
      { ...invite, networkId: 'x'.repeat(65) },
      { ...invite, addresses: [] },
      { ...invite, addresses: Array.from({ length: 17 }, () => invite.addresses[0]!) },
      { ...invite, grant: new Uint8Array(4097) }
    ]
    for (const one of bad)
      expect(() => encodeInvite(one)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})
