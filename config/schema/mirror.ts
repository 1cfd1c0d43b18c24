import { Object as ObjectOf } from 'typebox'
import { choice, duration, flag, integer, size } from './builders.ts'

const reservedFor = 'mirroring'

export const mirroring = ObjectOf(
  {
    enabled: flag({ default: false, reservedFor, description: 'Volunteer to hold copies for others.' })
  },
  { description: 'Whether this node mirrors.' }
)

export const mirror = ObjectOf(
  {
    min: integer({
      default: 2,
      min: 1,
      max: 10,
      reservedFor,
      description: 'Proven copies below which a release is repaired.'
    }),
    target: integer({
      default: 3,
      min: 1,
      max: 10,
      reservedFor,
      description: 'Copies a release should have.'
    }),
    max: integer({
      default: 6,
      min: 1,
      max: 20,
      reservedFor,
      description: 'Copies beyond which none is added, whatever the demand.'
    }),
    interval: duration({
      default: '1h',
      min: '1s',
      max: '7d',
      reservedFor,
      description: 'How often the plan is made anew; events make it at once.'
    }),
    grace: duration({
      default: '15m',
      max: '7d',
      reservedFor,
      description: 'How long a holder may be away before its copy is replaced; longer than a reboot.'
    }),
    quota: size({
      default: '10GB',
      reservedFor,
      description: "Bytes of others' releases this node holds at most; 0 is no limit but the store's."
    }),
    repairBudget: size({
      default: '1GB',
      reservedFor,
      description: 'Bytes an hour spent on repair at most.'
    }),
    accept: choice(['network', 'followed', 'listed'], {
      default: 'followed',
      reservedFor,
      description: "Whose releases are mirrored: anybody's, those of followed libraries, or those listed."
    }),
    halfLife: duration({
      default: '24h',
      min: '1m',
      max: '30d',
      reservedFor,
      description: 'Time after which a past fetch counts half as demand.'
    })
  },
  { description: 'How many copies, of what, and at what cost.' }
)

export const incentives = ObjectOf(
  {
    enabled: flag({
      default: true,
      description:
        'Serve peers that gave to this node better than those that only took, where a limit of what is sent is reached; else all peers alike.'
    }),
    halfLife: duration({
      default: '7d',
      min: '1h',
      max: '365d',
      description: 'Time after which what was given and taken counts half.'
    })
  },
  { description: 'Credit between peers.' }
)
