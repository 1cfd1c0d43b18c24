import { compareDistance, nearest, SPACE_BITS, xor } from '../distance.ts'
import type { Contact } from '../peers/contact.ts'

/**
 * Regions: how one lookup serves many keys.
 *
 * A lookup at key k finds the K peers nearest to k: there is no peer nearer than the last of them that it did not find.
 * Take another key k' that shares the first n bits with k. For every peer p the first n bits of its distance to k and to k'
 * are the same. So the found peers whose distance to k is smaller than the last one's *already in the first n bits* are also
 * nearer to k' than any peer that was not found: they are exactly the nearest peers of k'. The region of a lookup is the
 * largest set of keys (the smallest n) for which that holds for at least EXACT peers; beyond them, a key is given the
 * next nearest that are known. The rule needs no assumption about how peers are spread: when all of them share a long
 * prefix the regions get small, and when fewer than K peers exist all are found and one region is the whole space.
 */
/** Peers that a key is announced to. */
export const REPLICAS = 20
/** Peers that one lookup finds when there are enough: kad-dht's k. */
export const LOOKUP_PEERS = 20
/** So many holders are exactly the nearest ones: as many as a search asks before it says "missing" (find/walk.ts). */
export const EXACT = 10

/** What one lookup is good for. */
export interface Region {
  /** The key's place at which the lookup was made. */
  readonly at: Uint8Array
  /** Keys that share this many leading bits with `at` belong to it. */
  readonly bits: number
  readonly peers: readonly Contact[]
}

/** The region of a lookup at `at` that found `peers`. */
export function regionOf(at: Uint8Array, peers: readonly Contact[]): Region {
  if (peers.length < LOOKUP_PEERS) return { at, bits: 0, peers }
  const distances = nearest(at, peers, LOOKUP_PEERS).map(peer => xor(at, peer.kademliaId))
  const last = distances.at(-1)!
  for (let bits = 0; bits < SPACE_BITS; bits++) {
    const exact = distances.filter(distance => isSmallerInPrefix(distance, last, bits)).length
    if (exact >= EXACT) return { at, bits, peers }
  }
  return { at, bits: SPACE_BITS, peers }
}

/** Whether `a`, cut to its first `bits` bits, is a smaller number than `b` cut likewise. */
function isSmallerInPrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  for (let i = 0; i * 8 < bits; i++) {
    const mask = bits - i * 8 >= 8 ? 0xff : (0xff << (8 - (bits - i * 8))) & 0xff
    const difference = (a[i]! & mask) - (b[i]! & mask)
    if (difference !== 0) return difference < 0
  }
  return false
}

/** The peers to announce a key to: the nearest of `peers` that `isUsable` lets pass. */
export function holdersFor(
  kademliaId: Uint8Array,
  peers: Iterable<Contact>,
  isUsable: (peer: Contact) => boolean
): Contact[] {
  const usable: Contact[] = []
  for (const peer of peers) if (isUsable(peer)) usable.push(peer)
  return usable.sort((a, b) => compareDistance(kademliaId, a.kademliaId, b.kademliaId)).slice(0, REPLICAS)
}
