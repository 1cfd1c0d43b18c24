/** Whether all copies of libraries are equal to what their writers have. */
import type { RunningNode } from '../drivers/driver.ts'

/** What a node says of its libraries (`GET /v1/libraries`) and of those that it follows (`GET /v1/sync`). */
export interface LibrariesSaid {
  readonly name: string
  readonly peerId: string
  /** Peer ids of nodes whose home it is to follow by the plan, whatever it says. */
  readonly planned: readonly string[]
  /** Of those that it follows now: addresses. */
  readonly follows: readonly string[]
  /** Roots by address. */
  readonly own: Readonly<Record<string, string | null>>
  readonly copies: Readonly<Record<string, string>>
}

/** One sentence for each copy that is missing or other than its original. Pure. */
export function differences(all: readonly LibrariesSaid[]): string[] {
  const originals = new Map(all.flatMap(({ own }) => Object.entries(own)))
  return all.flatMap(({ name, planned, follows, copies }) =>
    [...new Set([...planned, ...follows])].flatMap(address => {
      const writer = all.find(({ peerId }) => peerId === address)?.name ?? address
      const [root, copy] = [originals.get(address), copies[address]]
      if (!follows.includes(address)) return [`${name} does not follow ${writer} any more`]
      if (root === undefined) return [`${writer} has no library that ${name} follows`]
      if (root === null) return [`the library of ${writer} is damaged`]
      if (copy === undefined) return [`${name} has no copy of the library of ${writer}`]
      return copy === root ? [] : [`${name} has ${copy} of ${writer}, which has ${root}`]
    })
  )
}

export async function librariesOf(
  node: RunningNode,
  peerIdOf: (name: string) => string,
  signal: AbortSignal
): Promise<LibrariesSaid> {
  const [libraries, sync] = await Promise.all(
    ['/v1/libraries', '/v1/sync'].map(path => node.ask({ method: 'GET', path }, signal))
  )
  type Rooted = { address: string; root: string }
  const rootsOf = (list: Rooted[]): Record<string, string> =>
    Object.fromEntries(list.map(({ address, root }) => [address, root]))
  return {
    name: node.name,
    peerId: node.peerId,
    planned: node.plan.follows.map(peerIdOf),
    follows: sync!.json.follows.map(({ address }: { address: string }) => address),
    own: rootsOf(libraries!.json.own),
    copies: rootsOf(libraries!.json.followed)
  }
}
