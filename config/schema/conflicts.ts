import { Object as ObjectOf } from 'typebox'
import { choice, list } from './builders.ts'

/** How the releases of several owners under one name are looked at (docs/conflicts.md). */
export const CONFLICT_STRATEGIES = ['newest-wins', 'consensus-wins', 'merge', 'keep-both', 'manual'] as const
export type ConflictStrategy = (typeof CONFLICT_STRATEGIES)[number]

const NAME_PART = '[a-z0-9][a-z0-9._-]{0,63}'

export const conflicts = ObjectOf(
  {
    strategy: choice([...CONFLICT_STRATEGIES], {
      default: 'manual',
      description:
        'What counts when several owners publish one name and none is pinned here. `manual` and `keep-both` choose nobody, `merge` joins the descriptions of equal contents and chooses nobody; `newest-wins` and `consensus-wins` let whoever signed last, or has the most weight, have a name that nobody here has installed yet.'
    }),
    scopes: list({
      default: [],
      pattern: `^(@${NAME_PART}(/${NAME_PART})?|${NAME_PART}) (${CONFLICT_STRATEGIES.join('|')})$`,
      rule: "a @scope or a name with a strategy, such as '@acme consensus-wins'",
      description:
        'Other strategies for all names of a scope, or for one name; the name counts before its scope. `catalog conflicts resolve NAME --strategy S` sets one without the file, and counts before it.'
    }),
    attestors: list({
      default: [],
      pattern: '^z6Mk[1-9A-HJ-NP-Za-km-z]{44} (\\d{1,6}(\\.\\d{1,6})?)$',
      rule: "a public key and its weight, such as 'z6Mk… 0.5'",
      description:
        'Whose attestations count for `consensus-wins`, and how much; others weigh nothing, and are not kept.'
    })
  },
  { description: 'Names that several owners claim.' }
)
