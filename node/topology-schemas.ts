/** The shapes of the network as it is seen from here (schemas.ts). */
import * as Type from 'typebox'
import { ROUTING_STRATEGIES } from '../config/index.ts'
import { HEALTH_CODES } from '../topology/index.ts'
import { PartitionShape } from './partition-schemas.ts'
import { count, text } from './schema-fields.ts'

const orNull = (value: Type.TSchema) => Type.Union([value, Type.Null()])
const share = (description: string) => Type.Number({ minimum: 0, maximum: 1, description })
/** Measured with fractions; null until then. */
const measured = (description: string) => Type.Union([Type.Number({ minimum: 0, description }), Type.Null()])

export const RoutingStrategyName = Type.Enum([...ROUTING_STRATEGIES])

const RegionShape = Type.Object({
  name: text(
    'The label that the peer told, or a class of its round trip: near, region, continent, far, unknown.'
  ),
  source: Type.Enum(['told', 'measured', 'unknown'])
})

const HealthReasonShape = Type.Object({
  code: Type.Enum([...HEALTH_CODES]),
  text: Type.String(),
  weight: share('What it takes from the health.')
})

export const TopologyPeer = Type.Object({
  peerId: Type.String(),
  connection: Type.Enum(['direct', 'relayed', 'away']),
  region: RegionShape,
  roundTripMs: measured('Smoothed, of heartbeats.'),
  p95Ms: measured('Nearly all of the last heartbeats took no longer.'),
  lateMs: count(
    'Whoever has not answered a small question by then is late, and another peer is asked as well.'
  ),
  goodput: Type.Object({
    down: measured('Bytes a second that came from it, over whole transfers.'),
    up: measured('Bytes a second that went to it.')
  }),
  failureRate: share('Of what it was asked for lately, what failed.'),
  uptime: share(
    'Of the time since it was first met by this process, in which it was connected; what is long ago counts less.'
  ),
  transfers: count('From it, under way.'),
  health: share('1 less the weights of the reasons.'),
  reasons: Type.Array(HealthReasonShape),
  score: share('By the strategy; more is better.')
})
export type TopologyPeer = Type.Static<typeof TopologyPeer>

export const TopologyReply = Type.Object({
  self: Type.Object({ peerId: Type.String(), region: orNull(text('`topology.region`.')) }),
  strategy: RoutingStrategyName,
  isInForce: Type.Boolean({
    description: 'Whether the node works by this strategy, or it was asked for only.'
  }),
  partition: PartitionShape,
  regions: Type.Array(
    Type.Object({
      ...RegionShape.properties,
      peers: count('Peers there, those that are away included.'),
      connected: count('Of them, those that are connected.'),
      roundTripMs: measured('The median of those that were measured.')
    })
  ),
  peers: Type.Array(TopologyPeer, { description: 'In the order in which they would be asked.' })
})
export type TopologyReply = Type.Static<typeof TopologyReply>
