import { Object as ObjectOf } from 'typebox'
import { choice, duration, flag, fraction, integer, list, rate, size, text } from './builders.ts'
import { FOLLOW_PATTERN, FOLLOW_SENSE, MAX_FOLLOWED, PRIORITY_PATTERN } from './follow-line.ts'

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
    backend: choice(['local', 's3'], {
      default: 'local',
      description:
        'Where segments of the store stand once they are full: in the home, or in a bucket (section `store.s3`). The index and the segment that is being written are always in the home.'
    }),
    compression: choice(['zstd', 'none'], {
      default: 'zstd',
      description:
        'How new content of folders is kept and so sent: `zstd` where a sample of the file shrinks to 0.8 or less, or `none`. What is there already, and what peers send, stays as it is.'
    })
  },
  { description: 'The content store.' }
)

/** Only what a URL needs: who else reads it is the client. */
const ENDPOINT = '^(https?://[^/\\s?#@]+(/[^\\s?#]*)?)?$'

export const s3 = ObjectOf(
  {
    endpoint: text({
      default: '',
      pattern: ENDPOINT,
      rule: 'an address such as https://s3.eu-central-1.amazonaws.com, without user and query',
      description: 'Where the server of the bucket answers.'
    }),
    bucket: text({
      default: '',
      pattern: '^([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])?$',
      rule: 'the name of a bucket: 3 to 63 lower-case letters, digits, dots and hyphens',
      description: 'The bucket. It exists already.'
    }),
    prefix: text({
      default: 'catalog/',
      pattern: '^[A-Za-z0-9._/-]{0,200}$',
      rule: 'at most 200 letters, digits, dots, hyphens, underscores and slashes',
      description:
        'What the name of every object begins with. Each home needs one of its own; two homes that share one are refused.'
    }),
    region: text({
      default: 'us-east-1',
      pattern: '^[a-z0-9-]{1,64}$',
      rule: 'the name of a region: lower-case letters, digits and hyphens',
      description: 'The region that requests are signed for.'
    }),
    credentials: text({
      default: '',
      pattern: '^(/[^\\0]*)?$',
      rule: 'an absolute path, or empty',
      description:
        'A TOML file of mode 0600 with `accessKeyId`, `secretAccessKey` and, where there is one, `sessionToken`. Empty is the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.'
    }),
    backlog: size({
      default: '4GiB',
      min: '128MiB',
      description:
        'Bytes that may wait here for the bucket, as while it is away; what would exceed them is refused with BUCKET_BACKLOG_FULL.'
    }),
    cache: size({
      default: '1GiB',
      description:
        'Bytes of segments that the bucket has and that are kept here as well, the newest; what is older is read from the bucket.'
    })
  },
  {
    description:
      'The bucket of an S3-compatible server that holds sealed segments, with `store.backend = "s3"`.'
  }
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
      description:
        'How often the libraries of `sync.follow` are compared with peers, but for a fifth at random; what a connected peer tells of is followed at once.'
    }),
    follow: list({
      default: [],
      maxItems: MAX_FOLLOWED,
      pattern: FOLLOW_PATTERN,
      rule: "the peer id of a node, perhaps / and the name of a library there, then, where they differ from none and mirror, which content comes with it and whether it joins home, and conditions on its releases, such as '12D3KooW… all', '12D3KooW…/tools wanted type:container' or '12D3KooW… none union tag:security prefix:@acme/'",
      further: FOLLOW_SENSE,
      description:
        'Libraries of other nodes that are followed by themselves: PEERID for the home of a node, PEERID/NAME for another one. Content: `none` comes when somebody fetches it, `wanted` is that of packages of which some version is whole here, `all` is everything that is not yanked. With `union` behind it what is in the library joins the home library of this node, and stays there. Conditions, `type:`, `tag:`, `category:`, `prefix:` and `publisher:`, each once at most and without spaces and commas, say of which releases content comes and which join: those for which all of them hold; the copy of the library is whole all the same. Of two lines for one library the later counts; those of this node itself have no effect, and a warning is logged.'
    }),
    priority: list({
      default: [],
      pattern: PRIORITY_PATTERN,
      rule: "what a release is to have, such as 'tag:security', 'type:container', 'category:tools', 'prefix:@acme/' or 'publisher:z6Mk…'",
      description:
        'Releases whose content comes first when that of a followed library is fetched, by itself or with `catalog sync --content`: those that the first line fits, then those of the second, and so on; the rest last.'
    }),
    maxRecords: integer({
      default: 1_000_000,
      min: 1,
      max: 16_777_216,
      description:
        'Records that the library of another node may have to be followed here: some 1.5 KB of disk each.'
    }),
    maxBytes: size({
      default: '1GiB',
      // One record of the largest kind.
      min: '32KiB',
      description:
        'Bytes that these records may have, all together. A million ordinary ones have some 360 MB; but a record may have 32 KiB, so by their number alone a hostile writer could fill 32 GiB here. While a large change comes, a second copy may have as much.'
    })
  },
  { description: 'Synchronisation of libraries.' }
)

/** Each content that is fetched has its buffers and its place in the worker's queue. */
const MOST_AT_ONCE = 64
/** A source queues so many. */
const MOST_PREFETCHED = 16

export const fetch = ObjectOf(
  {
    atOnce: integer({
      default: MOST_AT_ONCE,
      min: 1,
      max: MOST_AT_ONCE,
      description: 'Contents that are fetched at once; the others wait for their turn.'
    }),
    prefetch: integer({
      default: 10,
      min: 1,
      max: MOST_PREFETCHED,
      description:
        'Requests for content (of about 1 MiB each) that are in flight to one source at once; a source queues 16.'
    }),
    maxConnections: integer({
      default: 4,
      min: 1,
      max: 4,
      description:
        'Connections to one source at most. More than one only where a link loses packets and a further one, over TCP first, was measured to bring more.'
    })
  },
  { description: 'Fetching content.' }
)

export const tuning = ObjectOf(
  {
    auto: flag({
      default: false,
      description:
        'Whether the node turns `fetch.atOnce` and `fetch.prefetch` by itself, within the bounds below, to where most comes in. Takes effect at once; switched off, the configured values hold again.'
    }),
    minAtOnce: integer({
      default: 4,
      min: 1,
      max: MOST_AT_ONCE,
      description: 'Least that `fetch.atOnce` is turned to.'
    }),
    maxAtOnce: integer({
      default: MOST_AT_ONCE,
      min: 1,
      max: MOST_AT_ONCE,
      description: 'Most that it is turned to.'
    }),
    minPrefetch: integer({
      default: 2,
      min: 1,
      max: MOST_PREFETCHED,
      description: 'Least that `fetch.prefetch` is turned to.'
    }),
    maxPrefetch: integer({
      default: MOST_PREFETCHED,
      min: 1,
      max: MOST_PREFETCHED,
      description: 'Most that it is turned to.'
    })
  },
  { description: 'Settings that the node turns by itself (docs/operations.md).' }
)
