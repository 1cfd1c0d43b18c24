/**
 * Names that are known here from closed libraries only. Nobody is asked for one: the question would tell strangers that the name is used,
 * and a stranger could answer it with a package of his own (*dependency confusion*). What is here decides alone. A name that public
 * releases have too is looked up as any other, but not for an owner of whom only closed ones are known.
 */
import { CatalogError } from '../../base/index.ts'
import type { Registry } from '../../library/index.ts'
import { bytesEqual } from '../../trust/index.ts'

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
