/** What the operator wants to have of libraries of other nodes: the lines of `sync.follow`. */
import { CONTENT_POLICIES, type ContentPolicy, SYNC_MODES, type SyncMode } from '../../config/index.ts'
import { formatAddress, type LibraryAddress, parseAddress } from './library-address.ts'
import { conditionsOf, filterOf, type ReleaseFilter } from './release-filter.ts'

/** With a filter: of which releases content comes, and which join home in a union; the copy is whole all the same. */
export interface Subscription extends LibraryAddress, ReleaseFilter {
  /** Which content comes with it. */
  readonly content: ContentPolicy
  /** Whether it joins home. */
  readonly mode: SyncMode
}

/** Of lines such as the configuration lets through; of two for one library the later counts. KEY_INVALID and INVALID_ARGUMENT for what is no key or no peer id. */
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

/** How a subscription holds, in the words of its line: content, mode, conditions. */
export const mannerOf = ({ content, mode, ...filter }: Subscription): string =>
  [content, mode, ...conditionsOf(filter)].join(' ')

function subscriptionOf(line: string): Subscription {
  const [address = '', ...words] = line.split(' ')
  const said = <Word extends string>(choices: readonly Word[]): Word | undefined =>
    choices.find(choice => words.includes(choice))
  return {
    ...parseAddress(address),
    content: said(CONTENT_POLICIES) ?? 'none',
    mode: said(SYNC_MODES) ?? 'mirror',
    ...filterOf(words.filter(word => word.includes(':')))
  }
}

const addressOf = (line: string): string => formatAddress(parseAddress(line.split(' ', 1)[0]!))

/** As short as it can be said, with the content where anything stands behind it. */
function lineOf({ content, mode, ...rest }: Subscription): string {
  const conditions = conditionsOf(rest)
  const words = mode === 'union' ? [content, mode] : content === 'none' ? [] : [content]
  return [formatAddress(rest), ...words, ...conditions].join(' ')
}
