/** Checks of the libraries of this node, and of the copies that are here of others: what keeps peers from relying on them. */
import { type Clock, plural, toCatalogError } from '../../base/index.ts'
import { HOME_LIBRARY, PRIVATE_LIBRARY } from '../../library/index.ts'
import type { LibrarySets, OwnLibrary } from '../../sync/index.ts'
import { formatPublicKey } from '../../trust/index.ts'
import { formatAddress } from './library-address.ts'
import { bad, type Finding, ok, warn } from './machine-checks.ts'
import { peerOf } from './writer-key.ts'

const SIGNED_AGAIN = 'it is signed again within the hour; check the clock and the log if it is not'

/** How the home library stands for others, and who signed what cannot both be true. Only `catalog verify --all` reads all of its tree. */
export async function libraryCheck(
  sets: Pick<LibrarySets, 'state' | 'evidence' | 'followed'>,
  signal: AbortSignal
): Promise<Finding> {
  const { root, records, head, isExpired } = await sets.state(HOME_LIBRARY)
  const set = `${plural(records, 'record')}, root ${Buffer.from(root).toString('hex')}`
  const contradictions = await sets.evidence(signal)
  if (contradictions.length > 0) {
    const writers = new Set(contradictions.map(({ incoming }) => formatPublicKey(incoming.writer)))
    return warn(
      `${set}; ${plural(writers.size, 'node')} signed two states of one library: ${[...writers].join(', ')}`,
      'do not follow libraries of that node, or ask who runs it whether its home was copied'
    )
  }
  const unreadable: Uint8Array[] = []
  const followed = await sets.followed(library => void unreadable.push(library), signal)
  if (unreadable.length > 0) {
    const ids = unreadable.map(library => Buffer.from(library).toString('hex'))
    return warn(
      `${set}; what is known of followed libraries cannot be read: ${ids.join(', ')}`,
      'the database is damaged: check the disk, and put the home back from a backup'
    )
  }
  const expired = followed.filter(one => one.isExpired)
  if (expired.length > 0) {
    const addresses = expired.map(({ row }) => formatAddress({ writer: peerOf(row.writer), name: row.name }))
    return warn(
      `${set}; copies of libraries may be out of date, as their heads have expired: ${addresses.join(', ')}`,
      'their nodes have been away for a week, or nobody shows newer heads; `catalog sync` asks one, or let go with --forget'
    )
  }
  if (head === undefined) return ok(`${set}; nothing was signed yet`)
  const signed = `head ${head.revision} of epoch ${head.epoch} holds until ${new Date(head.expires).toISOString()}`
  return isExpired ? warn(`${set}; ${signed}`, SIGNED_AGAIN) : ok(`${set}; ${signed}`)
}

export interface OwnLibrariesModules {
  sets: Pick<LibrarySets, 'state'> & { access: Pick<LibrarySets['access'], 'own' | 'accessOf' | 'isEarlier'> }
  clock: Pick<Clock, 'now'>
}

/** What can be wrong with a library, the worst first: what it means for others, and what to do. */
const TROUBLES = {
  damaged: {
    find: bad,
    means: 'the tree is damaged',
    hint: 'build it anew from its records: catalog verify --all --repair'
  },
  unreadable: {
    find: bad,
    means: 'the access list cannot be read: no other node is let in',
    hint: 'look for damage, and mend it: catalog verify --all --repair; the log says what is wrong with the list'
  },
  earlier: {
    find: warn,
    means: 'the access list is from before this home was restored or copied: no other node is let in',
    hint: 'look at who is on it with `catalog library show`, then sign it anew with `catalog library grant` or `revoke`, or `catalog group`'
  },
  closed: {
    find: warn,
    means: 'the access list has run out: no other node is let in',
    hint: SIGNED_AGAIN
  },
  expired: { find: warn, means: 'the head has expired', hint: SIGNED_AGAIN }
} as const
type Trouble = keyof typeof TROUBLES

/** How the libraries of this node beside home stand: whether others can rely on them, and whether those are let in whom they are for. */
export async function ownLibrariesCheck(
  { sets, clock }: OwnLibrariesModules,
  signal: AbortSignal
): Promise<Finding> {
  const own = (await sets.access.own(signal)).filter(({ libraryId }) => libraryId !== HOME_LIBRARY)
  const names = new Map<Trouble, string[]>()
  for (const library of own) {
    signal.throwIfAborted()
    for (const trouble of await troublesOf(sets, library, clock.now()))
      names.set(trouble, [...(names.get(trouble) ?? []), library.name])
  }
  const found = (Object.keys(TROUBLES) as Trouble[]).filter(trouble => names.has(trouble))
  const [worst] = found
  if (worst === undefined) return ok(`beside home: ${own.map(({ name }) => name).join(', ')}`)
  const texts = found.map(trouble => `${TROUBLES[trouble].means}: ${names.get(trouble)?.join(', ')}`)
  const { find, hint } = TROUBLES[worst]
  return find(texts.join('; '), hint)
}

async function troublesOf(
  sets: OwnLibrariesModules['sets'],
  { libraryId, access }: OwnLibrary,
  nowMs: number
): Promise<Trouble[]> {
  try {
    const { isExpired } = await sets.state(libraryId)
    const head: Trouble[] = isExpired ? ['expired'] : []
    // Private is for no other node, and has no list.
    if (access === 'public' || libraryId === PRIVATE_LIBRARY) return head
    const list = await sets.access.accessOf(libraryId)
    if (list === undefined) return ['unreadable', ...head]
    if (await sets.access.isEarlier(libraryId)) return ['earlier', ...head]
    return nowMs < list.expires ? head : ['closed', ...head]
  } catch (thrown) {
    const { code } = toCatalogError(thrown)
    if (code !== 'TREE_DAMAGED' && code !== 'CONTENT_CORRUPT') throw thrown
    return ['damaged']
  }
}
