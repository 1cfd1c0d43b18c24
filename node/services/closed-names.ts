/**
 * Names that are known here from closed libraries only. Nobody is asked for one: the question would tell strangers that the name is used,
 * and a stranger could answer it with a package of his own (*dependency confusion*). What is here decides alone. A name that public
 * releases have too is looked up as any other, but not for an owner of whom only closed ones are known.
 */
import { CatalogError } from '../../base/index.ts'
import type { Registry, ReleaseRecord } from '../../library/index.ts'
import { bytesEqual, formatPublicKey } from '../../trust/index.ts'

/** `owner`: whose releases are meant, where that is settled. Reads the name index only, up to the first release that is public. */
export async function isClosedName(
  registry: Pick<Registry, 'entries'>,
  { name, owner }: { name: string; owner?: Uint8Array },
  signal: AbortSignal
): Promise<boolean> {
  let isKnown = false
  let isOpen = false
  let isOwners = false
  for await (const entry of registry.entries({ name }, signal)) {
    isKnown = true
    const isMeant = owner === undefined || bytesEqual(entry.owner, owner)
    if (isMeant && !entry.isClosed) return false
    if (isMeant) isOwners = true
    if (!entry.isClosed) isOpen = true
  }
  return isKnown && (!isOpen || isOwners)
}

/** RELEASE_NOT_FOUND for a name that is nothing to ask others for. */
export async function expectOpenName(
  registry: Pick<Registry, 'entries'>,
  meant: { name: string; owner?: Uint8Array },
  signal: AbortSignal
): Promise<void> {
  if (!(await isClosedName(registry, meant, signal))) return
  const { name } = meant
  throw new CatalogError(
    'RELEASE_NOT_FOUND',
    `nobody is asked for ${name}, which is known from closed libraries only`,
    {
      details: { name },
      hint: 'bring the library that has it up to date: `catalog sync PEER --library ADDRESS`'
    }
  )
}

/**
 * OWNER_UNCONFIRMED for a release that is known from closed libraries of other nodes only, and whose owner nothing on this node names: as nobody else is
 * asked for the name, who writes such a library would have every name that is not settled here. An owner to whom another name of the scope is
 * pinned here counts as named.
 */
export async function expectConfirmed(
  registry: Pick<Registry, 'isOwn' | 'isPinnedInScope'>,
  { bytes, release: { name, owner } }: ReleaseRecord,
  signal: AbortSignal
): Promise<void> {
  const scope = name.startsWith('@') ? name.slice(0, name.indexOf('/')) : undefined
  if (scope !== undefined && (await registry.isPinnedInScope(scope, owner, signal))) return
  if (await registry.isOwn(bytes)) return
  const publisher = formatPublicKey(owner)
  throw new CatalogError(
    'OWNER_UNCONFIRMED',
    `${name} is known from a closed library of another node only, signed by ${publisher}`,
    {
      details: { name, publisher },
      hint: `if it is that package which you mean, say so once: --publisher ${publisher}${scope === undefined ? '' : `; other names of ${scope} follow it`}`
    }
  )
}

/**
 * RELEASE_NOT_FOUND for a release that was known from closed libraries only and is in none of them any more: unknown here, its name would be
 * asked of strangers.
 */
export async function expectHere(
  registry: Pick<Registry, 'entries'>,
  { name, version }: { name: string; version: string },
  signal: AbortSignal
): Promise<void> {
  for await (const _ of registry.entries({ name, version }, signal)) return
  throw new CatalogError('RELEASE_NOT_FOUND', `${name}@${version} is in no library here any more`, {
    hint: 'follow the closed library again that it is in'
  })
}
