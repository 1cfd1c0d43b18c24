import type { GroupList } from '../client/types.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'

export const run = defineCommand(async context => {
  const list = await context.client().request<GroupList>('GET', '/v1/groups', { signal: context.signal })
  context.output.result(list, () =>
    formatTable(
      ['GROUP', 'MEMBERS', 'LIBRARIES'],
      list.groups.map(({ name, members, libraries }) => [
        name,
        members.length === 0 ? 'nobody' : members.join(', '),
        libraries.join(', ')
      ])
    )
  )
  if (list.groups.length === 0)
    context.output.note('There are no groups: catalog group add GROUP PEERID makes one.')
})
