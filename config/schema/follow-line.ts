/** How a line of `sync.follow` is written: `ADDRESS [content] [mode] [condition...]`, one space between two of them. */
import type { PatternOptions } from './builders.ts'

/** The name of a library at its node. */
export const LIBRARY_NAME_PATTERN = '[a-z0-9][a-z0-9._-]{0,63}'
/** The same in words. */
export const LIBRARY_NAME_RULE =
  'a name has 1 to 64 lower-case letters, digits, dots, hyphens and underscores, and begins with a letter or digit'
/** A library of a node; its home when no name is given. */
const LIBRARY_ADDRESS_PATTERN = `12D3KooW[1-9A-HJ-NP-Za-km-z]{44}(/${LIBRARY_NAME_PATTERN})?`

/** With the own one, nearly as many as a peer may be asked to tell of (MAX_WATCHED); an idle one costs 1.5 KB each interval. */
export const MAX_FOLLOWED = 1000

/** Which content comes with a library that is followed. */
export const CONTENT_POLICIES = ['none', 'wanted', 'all'] as const
export type ContentPolicy = (typeof CONTENT_POLICIES)[number]

/** What becomes of a library that is followed: a copy of it, or one whose records join this node's own home too. */
export const SYNC_MODES = ['mirror', 'union'] as const
export type SyncMode = (typeof SYNC_MODES)[number]

/** What can be asked of a release, in the order in which it is written. */
export const RELEASE_CONDITIONS = ['type', 'tag', 'category', 'prefix', 'publisher'] as const
const NAMES = `(${RELEASE_CONDITIONS.join('|')})`

/** One condition, whose words have such characters. Types are those of releases (docs/records.md), which stand to the right of here. */
const conditionOf = (char: string): string =>
  `(type:(package|library|template|vm|container)|(tag|category):${char}{1,64}|prefix:${char}{1,130}|publisher:z6Mk[1-9A-HJ-NP-Za-km-z]{44})`

/** What a value in a line of `sync.follow` cannot have: what stands between two of a line, or of a list; and what TOML has no form for. */
const OUTSIDE_VALUES = '\\s,\\p{Cc}\\p{Cs}'
/** One that could not be written there. */
export const UNWRITABLE_IN_FOLLOW = new RegExp(`[${OUTSIDE_VALUES}]`, 'u')

/** A line of `sync.priority`, which is one condition. */
export const PRIORITY_PATTERN = `^${conditionOf('.')}$`

export const FOLLOW_PATTERN = `^${LIBRARY_ADDRESS_PATTERN}( (${CONTENT_POLICIES.join('|')}))?( (${SYNC_MODES.join('|')}))?( ${conditionOf(`[^${OUTSIDE_VALUES}]`)})*$`

/** What a line that is written well must keep beside that. */
export const FOLLOW_SENSE: readonly PatternOptions[] = [
  {
    // The library of this name is to the right of here, too.
    pattern: '^(?!\\S+/private( |$))',
    rule: 'another library than `private`, which no node shows to another one'
  },
  {
    pattern: `^(?!.* ${NAMES}:\\S+ (\\S+ )*\\1:)`,
    rule: 'a line with each condition once at most: all of them must hold'
  },
  {
    pattern: `^(?!\\S+( none)?( mirror)? ${NAMES}:)`,
    rule: 'a line with `wanted`, `all` or `union` before its conditions: without content or union there is nothing that they choose'
  }
]
