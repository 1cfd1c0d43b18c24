/** What the operator wants to have of libraries of other nodes: the lines of `sync.follow`. */
import type { ContentPolicy, SyncMode } from '../../config/index.ts'
import { formatAddress, type LibraryAddress, parseAddress } from './library-address.ts'

export interface Subscription extends LibraryAddress {
  /** Which content comes with it. */
  readonly content: ContentPolicy
  /** Whether it joins home. */
  readonly mode: SyncMode
}

/** An address and, perhaps, a policy and a mode in each line; of two for one library the later counts. */
export function subscriptionsOf(lines: readonly string[]): Subscription[] {
  return [...new Map(lines.map(line => [addressOf(line), subscriptionOf(line)])).values()]
}

/** The lines with a subscription in place of what they said of its library, the others as they were. */
export function linesWith(lines: readonly string[], subscription: Subscription): string[] {
  const address = formatAddress(subscription)
  const before = lines.findIndex(line => addressOf(line) === address)
  const others = linesWithout(lines, address)
  return others.toSpliced(before < 0 ? others.length : before, 0, lineOf(subscription))
}

/** The lines without those of a library. */
export const linesWithout = (lines: readonly string[], address: string): string[] =>
  lines.filter(line => addressOf(line) !== address)

function subscriptionOf(line: string): Subscription {
  const [address = '', content = 'none', mode = 'mirror'] = line.split(' ')
  return { ...parseAddress(address), content: content as ContentPolicy, mode: mode as SyncMode }
}

const addressOf = (line: string): string => formatAddress(subscriptionOf(line))

/** As short as it can be said. */
function lineOf({ content, mode, ...address }: Subscription): string {
  const words = mode === 'union' ? [content, mode] : content === 'none' ? [] : [content]
  return [formatAddress(address), ...words].join(' ')
}
