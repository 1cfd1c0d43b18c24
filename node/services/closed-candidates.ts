/** Whom to ask for what is in closed libraries. Pure: who may know of it and who is where comes in. */

/** Those who may know of a release, by their peer ids. */
export interface Circle {
  /** Whose libraries have it: they hold its content for certain. */
  readonly writers: readonly string[]
  readonly members: readonly string[]
}

export interface Around {
  /** This node. */
  readonly self: string
  readonly connected: readonly string[]
  /** Nodes that say they have a whole copy of one of the libraries: anybody who ever knew the secret can. */
  readonly holders: readonly string[]
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export interface Candidates {
  /** Best first: they can be asked as things are. */
  readonly ready: readonly string[]
  /** To be looked for, in this order. */
  readonly away: readonly string[]
}

/** Nodes that are looked for: each one that is away costs a time-out, and most members have what many others have too. */
export const MAX_SOUGHT = 9

/**
 * Connected writers, connected members and then holders; and of the others the writers and some members, which are drawn anew each time so
 * that not the same ones are asked by everybody. Nobody else, whatever they say they hold.
 */
export function candidatesOf({ writers, members }: Circle, around: Around): Candidates {
  const { self, connected, holders, random } = around
  const isNear = new Set(connected)
  const ranked = [...new Set([...writers, ...shuffled(members, random)])].filter(peer => peer !== self)
  const admitted = new Set(ranked)
  const near = ranked.filter(peer => isNear.has(peer))
  const ready = [...new Set([...near, ...holders.filter(peer => admitted.has(peer))])]
  const isReady = new Set(ready)
  return { ready, away: ranked.filter(peer => !isReady.has(peer)).slice(0, MAX_SOUGHT) }
}

/** Fisher and Yates. */
function shuffled(peers: readonly string[], random: () => number): string[] {
  const mixed = [...peers]
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    ;[mixed[at], mixed[other]] = [mixed[other]!, mixed[at]!]
  }
  return mixed
}
