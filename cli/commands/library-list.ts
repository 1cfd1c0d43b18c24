import type { KnownLibraryShape, LibraryList, OwnLibraryShape } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const { signal } = context
  const list = await context.client().request<LibraryList>('GET', '/v1/libraries', { signal })
  context.output.result(list, () => {
    const own = formatTable(
      ['LIBRARY', 'ACCESS', 'FOR', 'RELEASES', 'REVISION', 'STATE', 'ADDRESS'],
      list.own.map(rowOfOwn)
    )
    const followed = formatTable(
      ['FOLLOWED', 'ACCESS', 'RECORDS', 'REVISION', 'STATE'],
      list.followed.map(rowOfFollowed)
    )
    return [own, followed].filter(table => table !== '').join('\n\n')
  })
})

const rowOfOwn = (library: OwnLibraryShape): string[] => [
  library.name,
  library.access,
  audience(library),
  String(library.releases),
  library.head === null ? '' : String(library.head.revision),
  library.root === null ? 'damaged' : library.isExpired ? 'expired' : 'holds',
  library.address
]

function audience({ members, group }: OwnLibraryShape): string {
  if (members === undefined) return 'everybody'
  if (members.length === 0 && group === undefined) return 'nobody else'
  const count = members.length === 1 ? '1 node' : `${members.length} nodes`
  return group === undefined ? count : `${group}: ${count}`
}

const rowOfFollowed = ({
  address,
  access,
  records,
  head,
  isExpired,
  isAdmitted
}: KnownLibraryShape): string[] => [
  address,
  access,
  String(records),
  head === null ? '' : String(head.revision),
  head === null ? 'incomplete' : !isAdmitted ? 'not admitted' : isExpired ? 'expired' : 'holds'
]
