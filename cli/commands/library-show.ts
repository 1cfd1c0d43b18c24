import type { OwnLibraryShape } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async (context, [name]: [string]) => {
  const library = await ownLibrary(context, name)
  const { address, access, group, members, releases, records, root, head, listExpires } = library
  context.output.result(library, () =>
    formatFields([
      ['address', address],
      ['id', library.library],
      ['access', group === undefined ? access : `${access}: the group ${group}`],
      ['members', members?.length === 0 ? 'no other node' : members],
      ['list', listExpires === null ? undefined : `holds until ${listExpires}`],
      ['releases', releases],
      ['records', records],
      ['root', root ?? 'damaged: see `catalog verify --all`'],
      [
        'head',
        head === null ? undefined : `${head.revision} of epoch ${head.epoch}, holds until ${head.expires}`
      ]
    ])
  )
})

/** A library of this node. NOT_FOUND. */
export async function ownLibrary(context: Context, name: string): Promise<OwnLibraryShape> {
  const path = `/v1/libraries/${encodeURIComponent(name)}`
  return await context.client().request<OwnLibraryShape>('GET', path, { signal: context.signal })
}
