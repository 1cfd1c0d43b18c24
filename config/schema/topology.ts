import { Object as ObjectOf } from 'typebox'
import { choice, text } from './builders.ts'

/** By what the peers that hold the same are put in order. */
export const ROUTING_STRATEGIES = [
  'shortest-path',
  'lowest-latency',
  'highest-bandwidth',
  'geographic',
  'load-balanced',
  'fault-tolerant'
] as const
export type RoutingStrategy = (typeof ROUTING_STRATEGIES)[number]

const WORD = '[a-z0-9][a-z0-9-]{0,31}'
const LABEL = `${WORD}(?:/${WORD})?`
/** The label of a region: `place` or `area/place`, words as in the names of data centres. */
export const REGION_LABEL = new RegExp(`^${LABEL}$`)
/** As long as a label can be. */
export const MAX_REGION_LENGTH = 65

export const topology = ObjectOf(
  {
    strategy: choice([...ROUTING_STRATEGIES], {
      default: 'highest-bandwidth',
      description:
        'Which of several peers that hold the same is asked first: `shortest-path` (no relay between), `lowest-latency`, `highest-bandwidth`, `geographic` (of the own region), `load-balanced` (who has given least lately) or `fault-tolerant` (steady ones, each of another region). Large contents come from many at once whatever is chosen.'
    }),
    region: text({
      default: '',
      pattern: `^(${LABEL})?$`,
      rule: 'empty, a place such as eu-west, or area/place such as eu/fra: each 1 to 32 of a-z, 0-9 and -, not starting with -',
      description:
        'Label of the region that this node is in, such as `eu-west` or `eu/fra`; peers are told. Without one others go by the round trip to this node alone.'
    })
  },
  { description: 'Which peers are asked first, by what was measured of them (docs/topology.md).' }
)
