/**
 * A head: the statement of a writer that its library has a certain root at a certain revision. It is one canonical DAG-CBOR map
 * (docs/sync.md, "Heads"):
 *
 *   format    `catalog-head/1`
 *   library   id of the library, 32 bytes
 *   writer    public key of the node that writes it, 32 bytes
 *   epoch     of this writer, larger after each time that it may have forgotten what it signed
 *   revision  of the writer's heads: each is one more than the head before
 *   time      when it was signed, ms since the epoch
 *   expires   until when it may be relied on, at most 7 days later
 *   root      of the library's set, 32 bytes
 *   previous  hash of the head before; absent in the one of revision 1, and only there
 *   closed    true when the library is not for everybody; absent otherwise
 *   sig       Ed25519 signature, domain `head`, over the map without `sig`
 *
 * A record speaks for itself wherever it is; a head says what is *not* there: without it a peer that leaves a yank out could
 * not be told from one that never heard of it.
 */
import { DAY_MS, LruCache } from '../../base/index.ts'
import { check, may, must, RECORD_LIMITS, SignedMap } from '../../library/index.ts'
import { MAX_HEAD_BYTES } from '../../protocols/index.ts'
import { domainPrefix, type Signer, sha256 } from '../../trust/index.ts'

const HASH_PREFIX = domainPrefix('head')
const HASH_BYTES = 32

/** How long a mirror could hide a yank by showing nothing newer. */
export const HEAD_LIFETIME_MS = 7 * DAY_MS

/** What a writer states. */
export interface HeadStatement {
  readonly library: Uint8Array
  readonly epoch: number
  readonly revision: number
  /** Milliseconds since the epoch, like `expires`. */
  readonly time: number
  readonly expires: number
  readonly root: Uint8Array
  /** Hash of the head before; undefined for revision 1. */
  readonly previous?: Uint8Array
  /** Whether only those on its access list may know of the library; absent = everybody may. */
  readonly isClosed?: boolean
}

/** A head whose form and signature hold. */
export interface Head extends HeadStatement {
  readonly writer: Uint8Array
  readonly isClosed: boolean
  /** As they came: what is stored and passed on. */
  readonly bytes: Uint8Array
  /** SHA-256(`catalog/head/1\0` || bytes): what the next head calls `previous`. */
  readonly hash: Uint8Array
}

/**
 * Heads that were read last, by their hash, in the form of one byte a character: a node reads the same ones again and again, with every
 * session and for every peer that is told of them, and a signature costs fifty times what a hash does. As many as a node may
 * follow libraries, some 1 KB each. No state of anybody's: what `decodeHead` returns follows from the bytes alone, with it as without, so
 * that all who read a row of the database need not be handed it.
 */
const READ_HEADS = new LruCache<string, Head>({ maxEntries: 1024 })

const hash = must(check.bytes(HASH_BYTES, HASH_BYTES))
const instant = must(check.integer(RECORD_LIMITS.earliestMs, RECORD_LIMITS.latestMs))

const isTrue: check.Check = (value, field) => {
  if (value !== true) check.refuse(field, 'is not true')
}

interface HeadMap extends Omit<HeadStatement, 'isClosed'> {
  readonly closed?: true
  readonly writer: Uint8Array
}

const HEAD_MAP = new SignedMap<HeadMap>({
  name: 'catalog-head',
  domain: 'head',
  title: 'head',
  code: 'HEAD_INVALID',
  maxBytes: MAX_HEAD_BYTES,
  signer: 'writer',
  fields: {
    library: hash,
    epoch: must(check.integer(1, RECORD_LIMITS.integer)),
    revision: must(check.integer(1, RECORD_LIMITS.integer)),
    time: instant,
    expires: instant,
    root: hash,
    previous: may(check.bytes(HASH_BYTES, HASH_BYTES)),
    closed: may(isTrue)
  },
  fault: ({ time, expires, previous, revision }) => {
    if (expires <= time || expires > time + HEAD_LIFETIME_MS)
      return 'does not expire within 7 days after it was signed'
    return (previous === undefined) === (revision === 1)
      ? undefined
      : 'names a head before it though it is the first, or does not'
  }
})

/** Signs a head. Throws HEAD_INVALID for a statement that no reader would take. */
export function signHead({ isClosed = false, ...statement }: HeadStatement, signer: Signer): Head {
  return decodeHead(HEAD_MAP.sign({ ...statement, ...(isClosed && { closed: true }) }, signer))
}

/**
 * Reads and verifies a head. Throws HEAD_INVALID, SIGNATURE_INVALID, UNSUPPORTED (a later format). Fields that this version does not
 * know are signed with the rest and kept in `bytes`.
 */
export function decodeHead(bytes: Uint8Array): Head {
  HEAD_MAP.expectSize(bytes)
  const name = Buffer.from(hashOf(bytes)).toString('latin1')
  const known = READ_HEADS.get(name)
  if (known !== undefined) return known
  // A copy: what is kept must not hold on to the message that it came in.
  const head = verifiedHead(Uint8Array.from(bytes))
  READ_HEADS.set(name, head)
  return head
}

function verifiedHead(bytes: Uint8Array): Head {
  const { library, writer, epoch, revision, time, expires, root, previous, closed } = HEAD_MAP.decode(bytes)
  const head = {
    library,
    writer,
    epoch,
    revision,
    time,
    expires,
    root,
    isClosed: closed === true,
    bytes,
    hash: hashOf(bytes)
  }
  return previous === undefined ? head : { ...head, previous }
}

const hashOf = (bytes: Uint8Array): Uint8Array => sha256(HASH_PREFIX, bytes)
