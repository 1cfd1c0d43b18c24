/**
 * Distances in the Kademlia key space.
 *
 * Peers and keys are points of 256 bits; the distance of two points is their XOR, read as a number. Two facts make it
 * useful: each point has exactly one point at each distance, so everybody orders the same peers around a key the same
 * way; and points that share the first n bits are nearer to each other than to any point that does not, so the space is
 * a binary tree and "near" means "in the same subtree".
 */
export const SPACE_BITS = 256

/** Orders `a` and `b` by their distance to `target`: negative when `a` is nearer, 0 when they are the same point. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < target.length; i++) {
    const byte = target[i]!
    const difference = (byte ^ a[i]!) - (byte ^ b[i]!)
    if (difference !== 0) return difference
  }
  return 0
}

/** How many leading bits two points share: 0 to 256. */
export function sharedPrefixBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = a[i]! ^ b[i]!
    if (difference !== 0) return i * 8 + Math.clz32(difference) - 24
  }
  return a.length * 8
}

/** The point at distance `a XOR b`. */
export const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ b[i]!)

/** The first 48 bits as a share of the space, 0 to 1: enough to compare densities and to place a key in a cycle. */
export function fractionOfSpace(point: Uint8Array): number {
  return Buffer.from(point.buffer, point.byteOffset, 6).readUIntBE(0, 6) / 2 ** 48
}

/** A thing that has a place in the key space. */
export interface Placed {
  readonly kademliaId: Uint8Array
}

/**
 * The `count` things nearest to `target`, nearest first. Does not change its argument. Keeps only the best so far: among many
 * things most are farther than all of those and cost one comparison.
 */
export function nearest<T extends Placed>(target: Uint8Array, things: Iterable<T>, count: number): T[] {
  const best: T[] = []
  for (const thing of things) {
    const isFarther = (other: T): boolean => compareDistance(target, other.kademliaId, thing.kademliaId) > 0
    const last = best.at(-1)
    if (best.length >= count && (last === undefined || !isFarther(last))) continue
    const place = best.findIndex(isFarther)
    best.splice(place < 0 ? best.length : place, 0, thing)
    if (best.length > count) best.pop()
  }
  return best
}
