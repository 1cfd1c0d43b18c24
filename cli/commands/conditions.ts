import type { FollowShape } from '../client/types.ts'

/** In the order of a line of `sync.follow`. Spelled out, so that a command does not load config. */
const CONDITIONS = ['type', 'tag', 'category', 'prefix', 'publisher'] as const

/** The filter of a subscription as it stands in `sync.follow`: `tag:security prefix:@acme/`; empty when it has none. */
export const conditionsText = (follow: FollowShape): string =>
  CONDITIONS.flatMap(name => (follow[name] === undefined ? [] : [`${name}:${follow[name]}`])).join(' ')
