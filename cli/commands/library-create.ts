import { CatalogError } from '../../base/index.ts'
import type { OwnLibraryShape } from '../client/types.ts'
import { defineCommand } from '../framework/tree.ts'
import { audienceText } from './audience.ts'

interface Options {
  access?: string
  group?: string
  member?: string[]
}

export const run = defineCommand(async (context, [name]: [string], { access, group, member }: Options) => {
  // Nobody shows by mistake to all what was meant for some.
  if (access === undefined)
    throw new CatalogError('INVALID_ARGUMENT', 'say whom the library is for', {
      hint: 'give --access public, private, restricted or friends'
    })
  const library = await context.client().request<OwnLibraryShape>('POST', '/v1/libraries', {
    body: { name, access, group, members: member },
    signal: context.signal
  })
  context.output.result(library, () => audienceText(library))
  if (library.group !== undefined && library.members?.length === 0)
    context.output.note(`Nobody is in the group yet: catalog group add ${library.group} PEERID`)
})
