import { Object as ObjectOf } from 'typebox'
import { choice, duration, fraction, integer, rate, size } from './builders.ts'

export const store = ObjectOf(
  {
    quota: size({
      default: '100GB',
      // One segment file of the store.
      min: '64MiB',
      orZero: true,
      description:
        'Bytes of content this node keeps at most. A part of it, one segment (64 MiB) or an eighth when that is less, is left to garbage collection; what would exceed the rest is refused with QUOTA_EXCEEDED when nothing can be freed. 0 is no limit but the disk.'
    }),
    highWater: fraction({
      default: 0.9,
      description:
        'Share of the quota at which a garbage collection begins by itself. It frees what nothing needs, then what was unused for longest and is neither pinned nor published here.'
    }),
    scrubInterval: duration({
      default: '30d',
      description:
        'How long one check of everything in the store takes, which finds bytes that have rotted and fetches them again. 0 is never.'
    }),
    scrubRate: rate({
      default: '8MB',
      description:
        'Bytes per second that this check reads at most; a large store then takes longer. 0 is no limit.'
    }),
    lowWater: fraction({
      default: 0.8,
      description: 'Share of the quota down to which a garbage collection lets go of releases.'
    }),
    compression: choice(['zstd', 'none'], {
      default: 'zstd',
      description:
        'How new content of folders is kept and so sent: `zstd` where a sample of the file shrinks to 0.8 or less, or `none`. What is there already, and what peers send, stays as it is.'
    })
  },
  { description: 'The content store.' }
)

export const cache = ObjectOf(
  {
    size: size({
      default: '1GiB',
      reservedFor: 'the file cache',
      description: 'Bytes the file cache may take.'
    }),
    maxAge: duration({
      default: '1h',
      reservedFor: 'the file cache',
      description: 'How long an unused file stays in the cache.'
    }),
    policy: choice(['lru'], {
      default: 'lru',
      reservedFor: 'the file cache',
      description: 'What goes first when the cache is full: `lru`, what was not used for longest.'
    })
  },
  { description: 'The disposable cache of whole files, which makes repeated installs cheap.' }
)

export const memory = ObjectOf(
  {
    network: size({
      default: '256MB',
      min: '16MB',
      max: '64GiB',
      description:
        'Memory that peers may pin in unread stream windows; beyond it the worst connection is closed.'
    })
  },
  { description: 'Limits of memory.' }
)

export const sync = ObjectOf(
  {
    interval: duration({
      default: '5m',
      min: '1s',
      max: '7d',
      reservedFor: 'library synchronisation',
      description: 'How often followed libraries are compared with peers; new heads are followed at once.'
    })
  },
  { description: 'Synchronisation of libraries.' }
)

export const fetch = ObjectOf(
  {
    prefetch: integer({
      default: 10,
      min: 1,
      max: 16,
      description:
        'Requests for content (of about 1 MiB each) that are in flight to one source at once; a source queues 16.'
    })
  },
  { description: 'Fetching content.' }
)
