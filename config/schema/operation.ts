import { Object as ObjectOf } from 'typebox'
import { SOCKET_PATH_MAX_BYTES } from '../../base/index.ts'
import { choice, duration, flag, fraction, integer, list, rate, size, text } from './builders.ts'

export const operations = ObjectOf(
  {
    timeout: duration({
      default: '300s',
      min: '1s',
      max: '7d',
      description:
        'Time a publish, fetch or verification may take unless --timeout says otherwise. A fetch that ran out of it goes on where it stopped when it is asked for again.'
    }),
    max: integer({
      default: 1000,
      min: 1,
      max: 100_000,
      description: 'Operations at once; more are refused with BUSY.'
    })
  },
  { description: 'Operations of the admin API.' }
)

/** Below it one answer takes longer than peers wait. */
const LEAST_RATE = { min: '32KiB', orZero: true } as const

export const limits = ObjectOf(
  {
    up: rate({
      ...LEAST_RATE,
      default: '10MB',
      description: 'Bytes a second sent to all public addresses together; 0 is no limit.'
    }),
    down: rate({
      ...LEAST_RATE,
      default: '0',
      description: 'Bytes a second fetched from all public addresses together; 0 is no limit.'
    }),
    perPeerUp: rate({
      ...LEAST_RATE,
      default: '1MB',
      description: 'Bytes a second sent to one peer at a public address; 0 is no limit.'
    }),
    perPeerDown: rate({
      ...LEAST_RATE,
      default: '0',
      description: 'Bytes a second fetched from one peer at a public address; 0 is no limit.'
    }),
    burst: size({
      default: '5MB',
      min: '64KiB',
      max: '1GiB',
      description:
        'Bytes that may go at once before a rate holds; a rate may always use what it gains in 100 ms.'
    }),
    private: flag({
      default: false,
      description: 'Whether the limits also hold between loopback and private addresses.'
    }),
    windows: list({
      default: [],
      pattern:
        '^([01]\\d|2[0-3]):[0-5]\\d-(([01]\\d|2[0-3]):[0-5]\\d|24:00) ((up|down) )?\\d+(\\.\\d+)?([kKMGT]i?)?[bB]?(/s)?$',
      rule: "times of day with a rate, such as '08:00-18:00 5MiB/s' or '22:00-06:00 down 20MB/s'",
      description:
        'Other values of `limits.up` (or, with the word, `limits.down`) at times of the day, local time; the first that holds counts.'
    }),
    classes: list({
      default: [],
      pattern: '^(critical|high|normal|low) ((up|down) )?\\d+(\\.\\d+)?([kKMGT]i?)?[bB]?(/s)?$',
      rule: "classes with a rate, such as 'low 1MB/s' or 'low down 2MB/s'",
      description: 'Bytes a second that a class of transfers may use at most, sent unless it says `down`.'
    })
  },
  {
    description:
      'How fast this node sends and fetches content. `catalog config set` changes them at once, transfers under way included; `catalog peers limit` gives one peer limits of its own.'
  }
)

export const peers = ObjectOf(
  {
    maxClass: choice(['low', 'normal', 'high', 'critical'], {
      default: 'normal',
      description:
        "Highest class a remote peer's requests may claim; what asks for more is served in this one."
    })
  },
  { description: 'What peers may ask.' }
)

export const security = ObjectOf(
  {
    minTrustScore: fraction({
      default: 0.7,
      reservedFor: 'policies of trust',
      description: 'Weight of attestations a release needs where a policy asks for it, 0 to 1.'
    })
  },
  { description: 'Whom to believe. Signatures are always verified; no key turns that off.' }
)

export const admin = ObjectOf(
  {
    socket: text({
      default: '',
      // No NUL byte, which no path may hold.
      pattern: '^(/[^\\u0000]*)?$',
      rule: 'an absolute path, or empty',
      description: `Path of the admin socket, at most ${SOCKET_PATH_MAX_BYTES} bytes; empty is \`admin.sock\` in the home.`
    })
  },
  { description: 'The admin socket.' }
)

export const metrics = ObjectOf(
  {
    listen: text({
      default: '',
      pattern: '^((\\d{1,3}(\\.\\d{1,3}){3}|\\[[0-9a-fA-F:.]{2,45}\\]):\\d{1,5})?$',
      rule: 'an IP address and a port, such as 127.0.0.1:9464 or [::1]:9464, or empty',
      description:
        'Address on which `GET /metrics` is answered over TCP, for a Prometheus; empty listens nowhere. Whoever reaches it may read all metrics.'
    })
  },
  { description: 'Metrics over TCP, beside those on the admin socket (docs/operations.md).' }
)

export const tracing = ObjectOf(
  {
    endpoint: text({
      default: '',
      pattern: '^(https?://[^\\s/?#]+(/[^\\s?#]*)?)?$',
      rule: 'the base URL of a collector, such as http://127.0.0.1:4318, or empty',
      description:
        'Collector to which spans are sent by OTLP over HTTP, as JSON to `/v1/traces` below it; empty sends none.'
    }),
    sampleRatio: fraction({
      default: 1,
      description:
        'Part of the traces that begin here which is kept and sent, 0 to 1. Those that a peer or client began are kept as it says.'
    })
  },
  { description: 'Traces of what this node and the peers that it asks do (docs/operations.md).' }
)

export const log = ObjectOf(
  {
    level: choice(['error', 'warn', 'info', 'debug', 'trace'], {
      default: 'info',
      description: 'Least important level that is written; `catalog log --set-level` changes it live.'
    }),
    maxSize: size({
      default: '10MB',
      min: '64KiB',
      max: '10GB',
      description: 'Size at which a log file is rotated.'
    }),
    files: integer({ default: 5, min: 1, max: 1000, description: 'Rotated log files that are kept.' })
  },
  { description: 'The log: JSON lines in `logs/` of the home, readable text on a terminal.' }
)
