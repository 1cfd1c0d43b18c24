import { plural } from '../../base/index.ts'
import { HOME_LIBRARY, readMemberHashes, type Slice, withDatabase } from '../../library/index.ts'
import type { Migration } from './format.ts'

/** Nothing else runs in a home that is being migrated. */
const WITHOUT_PAUSE: Slice = { due: () => false, pause: async () => {} }

/**
 * A home of format 2 has records and no tree over them. The tree is built as it is whenever it has to be built anew; cut off, it goes on
 * with the records that it has not read yet.
 */
export const treeMigration: Migration = {
  from: 2,
  what: 'a Merkle tree over the home library',
  async run({ root }, progress) {
    const { NodeCache, rebuildTree, TreeStore } = await import('../../sync/index.ts')
    await withDatabase(root, async database => {
      let members = 0
      for await (const _ of readMemberHashes(database, HOME_LIBRARY)) members++
      const store = new TreeStore({ database, cache: new NodeCache() })
      const onProgress = (records: number): void =>
        progress('reading records', members === 0 ? 1 : records / members)
      const options = { libraryId: HOME_LIBRARY, onProgress }
      const { unreadable } = await rebuildTree({ database, store }, options, WITHOUT_PAUSE)
      if (unreadable > 0) progress(`${plural(unreadable, 'damaged record')} left out`, 1)
    })
  }
}
