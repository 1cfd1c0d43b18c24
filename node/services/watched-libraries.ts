/** Which libraries a peer is told that are watched here, and of which its heads are heard: those that it may know of. */
import { peerIdFromString } from '@libp2p/peer-id'
import { HOME_LIBRARY } from '../../library/index.ts'
import { MAX_WATCHED } from '../../protocols/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { type FollowEntry, textOf } from './follow-entry.ts'
import type { Subscription } from './subscription.ts'
import { nodeKeyOf } from './writer-key.ts'

type Access = Pick<LibrarySets['access'], 'admits' | 'knownTo' | 'own'>

/**
 * What a peer is told that is watched here. Own libraries too: a peer that follows one may know a head of it that a restored home does
 * not.
 */
export async function watchedFor(
  access: Access,
  entries: Iterable<FollowEntry>,
  peer: string
): Promise<Uint8Array[]> {
  const known = new Set((await access.knownTo(nodeKeyOf(peerIdFromString(peer)))).map(textOf))
  const own = (await access.own()).filter(({ id }) => known.has(textOf(id))).map(({ id }) => id)
  const followed = [...entries]
    .filter(({ subscription, library }) => isOpenTo(peer, subscription) || known.has(textOf(library)))
    .map(({ library }) => library)
  return [...own, ...followed].slice(0, MAX_WATCHED)
}

/** The name of a library that is followed here, as by `subscription`, or this node's own, for a peer that may know of it. */
export async function watchedName(
  access: Access,
  { library, subscription }: { library: Uint8Array; subscription: Subscription | undefined },
  peer: string
): Promise<string | undefined> {
  const isOpen = subscription !== undefined && isOpenTo(peer, subscription)
  if (!isOpen && !(await access.admits(library, nodeKeyOf(peerIdFromString(peer))))) return undefined
  return subscription?.name ?? (await access.own()).find(({ id }) => bytesEqual(id, library))?.name
}

/** Homes are for everybody, and of another library that nothing is here of yet its node alone knows for whom it is. */
const isOpenTo = (peer: string, { name, writer }: Subscription): boolean =>
  name === HOME_LIBRARY || writer === peer
