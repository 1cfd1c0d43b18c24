import { Object as ObjectOf } from 'typebox'
import { choice, duration, flag, fraction, integer, rate, size, text } from './builders.ts'

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

const LIMITS = 'rate limits'

export const limits = ObjectOf(
  {
    total: rate({
      default: '10MB',
      reservedFor: LIMITS,
      description: 'Bytes a second sent to all public addresses together; 0 is no limit.'
    }),
    perPeer: rate({
      default: '1MB',
      reservedFor: LIMITS,
      description: 'Bytes a second sent to one peer at a public address; 0 is no limit.'
    }),
    burst: size({
      default: '5MB',
      reservedFor: LIMITS,
      description: 'Bytes a peer may get at once before its rate holds.'
    }),
    private: flag({
      default: false,
      reservedFor: LIMITS,
      description: 'Whether the rates also hold between loopback and private addresses.'
    })
  },
  { description: 'How fast this node serves.' }
)

export const peers = ObjectOf(
  {
    maxClass: choice(['low', 'normal', 'high', 'critical'], {
      default: 'normal',
      reservedFor: 'priorities',
      description: "Highest class a remote peer's request may claim."
    })
  },
  { description: 'What peers may ask.' }
)

export const security = ObjectOf(
  {
    minTrustScore: fraction({
      default: 0.7,
      reservedFor: 'attestations',
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
      description: 'Path of the admin socket, at most 107 bytes; empty is `admin.sock` in the home.'
    })
  },
  { description: 'The admin socket.' }
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
