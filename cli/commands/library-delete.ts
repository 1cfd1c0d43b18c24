import { CatalogError, plural } from '../../base/index.ts'
import type { DeletedLibrary } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { ownLibrary } from './library-show.ts'

export const run = defineCommand(async (context, [name]: [string], { yes }: { yes?: boolean }) => {
  if (yes !== true) {
    const { address, releases } = await ownLibrary(context, name)
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `${address} with ${plural(releases, 'release')} would be gone`,
      {
        hint: 'give --yes to delete it'
      }
    )
  }
  const path = `/v1/libraries/${encodeURIComponent(name)}`
  const { signal } = context
  const deleted = await context.client().request<DeletedLibrary>('DELETE', path, { signal })
  context.output.result(deleted, () => {
    return `${deleted.address} with ${plural(deleted.releases, 'release')} is deleted`
  })
})
