/** Whose names these are: pins of this node, kept to and made by an install. */
import { CatalogError } from '../../base/index.ts'
import type { LockedPackage, LockFile } from '../../library/index.ts'
import type { FetchedRelease, FetchResult } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { printable } from '../framework/format.ts'

/** A name that another owner published when it was installed here before, in this folder or on this node. */
export interface OwnerChange {
  name: string
  from: string
  to: string
}

/** Throws OWNER_CHANGED when the name was installed from another owner before, on this node. */
export async function checkPin(context: Context, release: FetchedRelease): Promise<void> {
  const pinned = await readPin(context, release.name)
  if (pinned === undefined || pinned === release.owner) return
  throw new CatalogError(
    'OWNER_CHANGED',
    `${release.name} belongs to ${release.owner}, but ${pinned} is pinned here`,
    {
      details: { name: release.name, pinned, owner: release.owner }
    }
  )
}

/** Throws OWNER_CONFLICT when the folder has the name from another owner: an upgrade must not change whose code runs. */
export function checkOwnerInFolder({ name, owner }: FetchedRelease, locked: LockedPackage | undefined): void {
  if (locked === undefined || locked.publisher === owner) return
  throw new CatalogError(
    'OWNER_CONFLICT',
    `${name} is of ${locked.publisher} in this folder, as its lock file says, and this one is of ${owner}`,
    { details: { name, locked: locked.publisher, owner } }
  )
}

async function readPin(context: Context, name: string): Promise<string | undefined> {
  try {
    const path = `/v1/pins/${encodeURIComponent(name)}`
    return (await context.client().request<{ owner: string }>('GET', path, { signal: context.signal })).owner
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/**
 * From now on these names mean these owners on this node. Another owner replaces the pinned one only with --publisher. A lock
 * file outranks the pin, since it names the owners by key, and leaves it as it is.
 */
export async function pinOwners(
  context: Context,
  releases: FetchResult[],
  options: { frozen?: boolean; publisher?: string },
  lockedBefore: LockFile | undefined
): Promise<OwnerChange[]> {
  const changes: OwnerChange[] = []
  for (const { name, owner } of releases) {
    const pinned = await readPin(context, name)
    const known = options.frozen === true ? [] : [pinned, lockedBefore?.get(name)?.publisher]
    const from = known.find(key => key !== undefined && key !== owner)
    if (from !== undefined) changes.push({ name, from, to: owner })
    if (pinned === owner) continue
    if (pinned !== undefined && options.frozen === true) {
      context.output.note(
        `${printable(name)} is of ${owner}, as the lock file says, though ${pinned} is pinned here.`
      )
      continue
    }
    if (pinned !== undefined && options.publisher === undefined) continue
    await context
      .client()
      .request('PUT', `/v1/pins/${encodeURIComponent(name)}`, { body: { owner }, signal: context.signal })
    const instead = pinned === undefined ? '' : ` instead of ${pinned}`
    context.output.note(`${printable(name)} is now pinned to its publisher ${owner}${instead}.`)
  }
  return changes
}
