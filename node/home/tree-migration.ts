import { plural } from '../../base/index.ts'
import { HOME_LIBRARY, readMemberHashes, type Slice, withDatabase } from '../../library/index.ts'
import type { Migration } from './format.ts'

/** Nothing else runs in a home that is being migrated: it pauses only to end. */
const untilAborted = (signal: AbortSignal | undefined): Slice => ({
  due: () => signal?.aborted === true,
  pause: async () => signal?.throwIfAborted()
})

/**
 * A home of format 2 has records and no tree over them. The tree is built as it is whenever it has to be built anew; cut off, it goes on
 * with the records that it has not read yet.
 */
export const treeMigration: Migration = {
  from: 2,
  what: 'a Merkle tree over the home library',
  async run({ root }, progress, signal) {
    const { NodeCache, rebuildTree, TreeStore } = await import('../../sync/index.ts')
    await withDatabase(root, async database => {
      let members = 0
      for await (const _ of readMemberHashes(database, HOME_LIBRARY)) {
        signal?.throwIfAborted()
        members++
      }
      const store = new TreeStore({ database, cache: new NodeCache() })
      const share = (records: number): number => (members === 0 ? 1 : Math.min(1, records / members))
      const options = {
        libraryId: HOME_LIBRARY,
        onProgress: (records: number) => progress('reading records', share(records)),
        onBuilt: (records: number) => progress('building the tree', share(records))
      }
      const { unreadable } = await rebuildTree({ database, store }, options, untilAborted(signal))
      if (unreadable > 0) progress(`${plural(unreadable, 'damaged record')} left out`, 1)
    })
  }
}
