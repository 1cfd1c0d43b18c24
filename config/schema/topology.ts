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

const LABEL = '[a-z0-9][a-z0-9-]{0,31}'
const WHOLE_LABEL = new RegExp(`^${LABEL}$`)

/** Whether a text may be the label of a region, here or as a peer tells its own. */
export const isRegionLabel = (label: string): boolean => WHOLE_LABEL.test(label)

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
      rule: 'empty, or 1 to 32 of a-z, 0-9 and -, not starting with -',
      description:
        'Label of the region that this node is in, such as `eu-west`; peers are told. Without one others go by the round trip to this node alone.'
    })
  },
  { description: 'Which peers are asked first, by what was measured of them (docs/topology.md).' }
)
