/** A peer, and where it is. */
export interface Placed {
  readonly peerId: string
  readonly network: string
  readonly region: string
}

/**
 * Some of the peers, from as many networks and then regions as there are: what is wrong at one place is not wrong at all, and who runs many
 * peers in one network is chosen once. `random` is uniform in [0, 1): nobody knows beforehand who is chosen.
 */
export function spread(peers: readonly Placed[], count: number, random: () => number): string[] {
  const left = peers.map(peer => ({ peer, lot: random() })).sort((a, b) => a.lot - b.lot)
  const chosen: Placed[] = []
  while (chosen.length < count && left.length > 0) {
    const uses = ({ peer }: { peer: Placed }): number =>
      chosen.filter(({ network }) => network === peer.network).length * (count + 1) +
      chosen.filter(({ region }) => region === peer.region).length
    const best = left.reduce((a, b) => (uses(b) < uses(a) ? b : a))
    left.splice(left.indexOf(best), 1)
    chosen.push(best.peer)
  }
  return chosen.map(({ peerId }) => peerId)
}
