/** What is done with the copy of a standing subscription once there is a newer one, whether a session brought it or a file. */
import { type Logger, toCatalogError } from '../../base/index.ts'
import type { SyncResult } from '../sync-schemas.ts'
import type { FollowEntry } from './follow-entry.ts'
import { formatAddress } from './library-address.ts'
import type { Subscription } from './subscription.ts'
import type { Uniting } from './uniting.ts'

/** A copy that is here: its root, and whether it is another one than before. */
export type CopyHere = Pick<SyncResult, 'root' | 'state'>

export interface FollowUnionModules {
  uniting: Pick<Uniting, 'unite'>
  logger: Logger
  /** Told of each library that was followed. */
  onFollowed(subscription: Subscription, copy: CopyHere): void
}

/**
 * Has the copy join home where the subscription says so: one union of it at a time. What joined once is not gone through again before the copy is
 * another one.
 */
export async function uniteFollowed(
  { uniting, logger }: Pick<FollowUnionModules, 'uniting' | 'logger'>,
  { entry, all, root }: { entry: FollowEntry; all: Iterable<FollowEntry>; root: string },
  signal: AbortSignal
): Promise<void> {
  const { library, subscription } = entry
  if (subscription.mode !== 'union') return
  const release = await entry.unions.acquire(signal)
  try {
    if (entry.subscription !== subscription || entry.joinedRoot === root) return
    entry.joining = new AbortController()
    const until = AbortSignal.any([signal, entry.joining.signal])
    const wish = { library, filter: subscription }
    const joined = await uniting.unite(wish, { signal: until, progress: () => undefined })
    if (entry.subscription === subscription) entry.joinedRoot = root
    // What others have of what is said of these releases joins when they are compared next.
    if (joined > 0) for (const other of all) if (other !== entry) delete other.joinedRoot
    logger.info({ library: formatAddress(subscription), joined }, 'a followed library joined home')
  } finally {
    release()
  }
}

/**
 * After a file has brought the copy: no peer is asked for anything. When the library is followed in another way meanwhile, it is to be done
 * again. A failure is told, and made good by the next session.
 */
export async function followImported(
  modules: FollowUnionModules,
  { entry, all, copy }: { entry: FollowEntry; all: Iterable<FollowEntry>; copy: CopyHere },
  signal: AbortSignal
): Promise<void> {
  const { subscription } = entry
  try {
    await uniteFollowed(modules, { entry, all, root: copy.root }, signal)
    if (entry.subscription === subscription) modules.onFollowed(subscription, copy)
    else entry.imported ??= copy
  } catch (thrown) {
    if (signal.aborted || entry.subscription !== subscription) {
      entry.imported ??= copy
      return
    }
    const { code, message } = toCatalogError(thrown)
    const library = formatAddress(subscription)
    modules.logger.warn({ library, code, reason: message }, 'what a bundle brought could not join home')
  }
}
