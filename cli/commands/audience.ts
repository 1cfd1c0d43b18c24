/** Changing whom a library or a group is for. */
import { plural } from '../../base/index.ts'
import type { GroupShape, OwnLibraryShape } from '../client/types.ts'
import type { Context } from '../framework/context.ts'

/** Peer ids. */
export type Change = { joining: string[] } | { leaving: string[] }

export async function changeLibrary(context: Context, name: string, change: Change): Promise<void> {
  const path = `/v1/libraries/${encodeURIComponent(name)}/members`
  const { signal } = context
  const library = await context.client().request<OwnLibraryShape>('PUT', path, { body: change, signal })
  context.output.result(library, () => audienceText(library))
}

export async function changeGroup(context: Context, name: string, change: Change): Promise<void> {
  const path = `/v1/groups/${encodeURIComponent(name)}/members`
  const { signal } = context
  const group = await context.client().request<GroupShape>('PUT', path, { body: change, signal })
  context.output.result(group, () => groupText(group))
}

/** Who may know of a library, one node a line. */
export function audienceText({ address, access, members, group }: OwnLibraryShape): string {
  if (members === undefined) return `${address} is ${access}: for everybody`
  const whom = group === undefined ? access : `for the group ${group}`
  return withMembers(`${address} is ${whom}`, members)
}

function groupText({ name, members, libraries }: GroupShape): string {
  const text = withMembers(`the group ${name}`, members)
  if (libraries.length === 0) return text
  return `${text}\nlibraries that are for it: ${libraries.join(', ')}`
}

function withMembers(text: string, members: readonly string[]): string {
  if (members.length === 0) return `${text}: no other node`
  return [`${text}: ${plural(members.length, 'other node')}`, ...members].join('\n')
}
