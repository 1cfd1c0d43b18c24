import { Object as ObjectOf } from 'typebox'
import { choice, duration, flag, integer, list, size } from './builders.ts'
import { PRIORITY_PATTERN } from './follow-line.ts'

/** How many copies there are of what, and where (docs/mirror.md). */
export const MIRROR_STRATEGIES = [
  'popularity',
  'geographic',
  'access-pattern',
  'priority',
  'adaptive'
] as const
export type MirrorStrategy = (typeof MIRROR_STRATEGIES)[number]

/** Whose releases are mirrored. */
export const MIRROR_ACCEPTS = ['network', 'followed', 'listed'] as const
export type MirrorAccept = (typeof MIRROR_ACCEPTS)[number]

export const mirroring = ObjectOf(
  {
    enabled: flag({ default: false, description: 'Volunteer to hold copies for others.' })
  },
  { description: 'Whether this node mirrors.' }
)

export const mirror = ObjectOf(
  {
    min: integer({
      default: 2,
      min: 1,
      max: 10,
      description: 'Proven copies below which a release is repaired.'
    }),
    target: integer({
      default: 3,
      min: 1,
      max: 10,
      description: 'Copies a release should have.'
    }),
    max: integer({
      default: 6,
      min: 1,
      max: 20,
      description: 'Copies beyond which none is added, whatever the demand.'
    }),
    strategy: choice([...MIRROR_STRATEGIES], {
      default: 'popularity',
      description:
        'What decides how many copies there are and what comes first: what is fetched most, distance (`geographic`), who asks and when (`access-pattern`), the classes of `sync.priority`, or how reliable the holders are (`adaptive`).'
    }),
    interval: duration({
      default: '1h',
      min: '1s',
      max: '7d',
      description: 'How often everything is looked at anew; events are planned for at once.'
    }),
    grace: duration({
      default: '15m',
      max: '7d',
      description: 'How long a holder may be away before its copy is replaced; longer than a reboot.'
    }),
    quota: size({
      default: '10GB',
      description:
        "Bytes of others' releases this node holds at most, and of one owner a tenth of it; 0 is no limit but the store's."
    }),
    repairBudget: size({
      default: '1GB',
      min: '1MB',
      description: 'Bytes an hour spent on copies at most.'
    }),
    accept: choice([...MIRROR_ACCEPTS], {
      default: 'followed',
      description:
        "Whose releases are mirrored: anybody's that two peers asked for or that are followed, those of followed libraries, or those in `mirror.list`."
    }),
    list: list({
      default: [],
      pattern: PRIORITY_PATTERN,
      rule: 'conditions such as publisher:z6Mk…, prefix:@acme/, tag:security or type:container',
      description: 'What `mirror.accept = "listed"` means: releases for which one of these holds.'
    }),
    halfLife: duration({
      default: '24h',
      min: '1m',
      max: '30d',
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
        'Serve peers that gave to this node better than those that only took, where a limit of what is sent is reached, and exchange receipts of what was given; else all peers alike, and no receipts.'
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
