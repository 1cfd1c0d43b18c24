/**
 * What receipts of others are worth. A newcomer is unknown here, and may have given for years elsewhere; receipts that it shows are hints of that.
 * Who says so is unknown as well, keys are free, and two nodes can sign for each other whatever they like. Therefore
 *
 * - a receipt counts as far as *this node values its signer*, by its own measurement only, never by receipts: `2 score - 1`, nothing for a score
 *   of one half or less. A signer that did not give more to this node than it took counts for nothing, and a thousand of them for a thousand times nothing. That
 *   ends chains too: who is only vouched for vouches for nobody;
 * - signers of one public network count once, the best of them; those of the giver's own network not at all;
 * - all of it lifts the share of the score (standing.ts) by a tenth at most, which takes several networks;
 * - and the more was exchanged with the peer itself, the less is left of it.
 *
 * What a liar can buy is so small that it costs more: who wants its other identities lifted gives real content first, from as many networks as are to
 * count, and is served better itself for that at once.
 */
import { PRIOR_BYTES } from './prior.ts'

/** Of a score of one half, with as many good receipts as one likes: 0.6 at most, a weight of 1.32. */
export const MAX_LIFT = 0.1
/** Signers in so many networks, each as good as can be, for all of it: one alone is worth a quarter. */
const WHOLE_NETWORKS = 4

/** A receipt as this node sees it. */
export interface Vouched {
  /** What the peer gave to the signer, as that says. */
  readonly bytes: number
  /** Of the signer, as measured here. */
  readonly score: number
  /** The public network of the signer, in hex; all without one are taken for one network. */
  readonly network: string
}

/** From 0 to MAX_LIFT: by how much receipts lift the share of a peer in `network` of which nothing is known. */
export function liftOf(receipts: readonly Vouched[], network: string): number {
  const best = new Map<string, number>()
  for (const receipt of receipts) {
    if (receipt.network !== '' && receipt.network === network) continue
    best.set(receipt.network, Math.max(worthOf(receipt), best.get(receipt.network) ?? 0))
  }
  const worth = [...best.values()].reduce((all, one) => all + one, 0)
  return MAX_LIFT * Math.min(1, worth / WHOLE_NETWORKS)
}

/** From 0 to 1. */
const worthOf = ({ bytes, score }: Vouched): number =>
  Math.max(0, 2 * score - 1) * (bytes / (bytes + PRIOR_BYTES))

/** What is left of a lift once so many bytes were exchanged with the peer itself. */
export const liftLeft = (lift: number, exchangedBytes: number): number =>
  (lift * PRIOR_BYTES) / (PRIOR_BYTES + exchangedBytes)
