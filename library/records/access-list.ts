/**
 * Access lists: who may know of a library that is not for everybody. The node whose library it is signs one and puts it into the library
 * itself, so whoever has the library has the list, and can ask it whom to show the library to. It holds for a few days and is signed
 * again every day: a list that nobody renews is one that its node may have taken names off, and admits nobody. With each name that is taken
 * off a new secret begins, from which members derive what they look one another up with.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, DAY_MS } from '../../base/index.ts'
import { bytesEqual, type Signer } from '../../trust/index.ts'
import * as check from './checks.ts'
import { createRecord, decodeVerifiedRecord } from './envelope.ts'
import { checkFields, may, must, publicKey } from './fields.ts'
import { RECORD_LIMITS as LIMITS } from './limits.ts'
import { checkSignedByOwner } from './owner.ts'
import { asArgumentError } from './publish-checks.ts'
import { trieKeyOf } from './set-keys.ts'
import type { SignedRecord } from './types.ts'

const KIND = 'access-list'
const HASH_BYTES = 32
/** How long a member that hears of nothing new goes on showing the library to those on the list: a long weekend. */
export const ACCESS_LIFETIME_MS = 4 * DAY_MS

/**
 * Whom a library is for: `private` other nodes of its owner, `restricted` nodes that are named one by one, `friends` those of a group of the
 * owner's.
 */
export const ACCESS_CLASSES = ['private', 'restricted', 'friends'] as const
export type AccessClass = (typeof ACCESS_CLASSES)[number]

export interface NewAccessList {
  /** Id of the library. */
  readonly library: Uint8Array
  /** One of ACCESS_CLASSES in this version; for people, as whom the list admits does not depend on it. */
  readonly access: string
  /** Of `friends`. */
  readonly group?: string
  /** Public keys of the nodes that may know of the library, in any order. */
  readonly members: readonly Uint8Array[]
  /** 32 unforeseeable bytes. */
  readonly secret: Uint8Array
  /** Larger wins: max(now in ms, last + 1). */
  readonly sequence: number
}

export interface AccessList extends NewAccessList {
  /** The node whose library it is. */
  readonly writer: Uint8Array
  /** Until when it holds, ms since the epoch. */
  readonly expires: number
}

const word = check.text({
  maxBytes: LIMITS.statementChars,
  form: /^[a-z][a-z-]*$/,
  what: 'a class of access'
})
const group = check.text({ maxBytes: LIMITS.wordBytes, form: /^[a-z0-9][a-z0-9._-]*$/, what: 'a group' })

/** In ascending order, so that one set of members is one list. */
const members: check.Check = (value, field) => {
  check.list(publicKey, LIMITS.accessMembers)(value, field)
  const keys = value as Uint8Array[]
  if (keys.some((key, at) => at > 0 && Buffer.compare(keys[at - 1]!, key) >= 0))
    check.refuse(field, 'is not in ascending order')
}

const FIELDS = {
  access: must(word),
  group: may(group),
  members: must(members),
  secret: must(check.bytes(HASH_BYTES, HASH_BYTES)),
  expires: must(check.integer(LIMITS.earliestMs, LIMITS.latestMs)),
  chain: may(check.cid)
}

/** Where the list of a library stands in its set. */
export const accessListKey = (writer: Uint8Array, library: Uint8Array): Uint8Array =>
  trieKeyOf({ kind: KIND, signer: writer, subject: library })

/** Signs a list as the node whose library it is. Throws INVALID_ARGUMENT with `details.field`. */
export function createAccessList(
  { library, sequence, ...list }: NewAccessList,
  signer: Signer
): SignedRecord {
  const sorted = [...list.members].sort(Buffer.compare)
  const unique = sorted.filter((key, at) => at === 0 || !bytesEqual(sorted[at - 1]!, key))
  const body = { ...list, members: unique, expires: sequence + ACCESS_LIFETIME_MS }
  try {
    checkFields(body, FIELDS)
    return createRecord({ kind: KIND, sequence, subject: library, body }, signer)
  } catch (thrown) {
    throw asArgumentError(thrown)
  }
}

/** Reads a stored list. Throws RECORD_INVALID for one that is none, UNSUPPORTED for a delegate's. */
export function decodeAccessList(bytes: Uint8Array): AccessList {
  const { kind, body, subject, sequence, signer } = decodeVerifiedRecord(bytes)
  if (kind !== KIND || subject?.byteLength !== HASH_BYTES)
    throw new CatalogError('RECORD_INVALID', 'the record is not the access list of a library')
  checkFields(body, FIELDS)
  const { access, group, members, secret, expires, chain } = body as unknown as AccessList & { chain?: CID }
  checkSignedByOwner({ owner: signer, signer, chain }, KIND)
  if (expires > sequence + ACCESS_LIFETIME_MS) check.refuse('expires', 'is too far from the sequence')
  const list = { library: subject, access, members, secret, sequence, expires, writer: signer }
  return group === undefined ? list : { ...list, group }
}

/** Whether a list admits a node: its own writer always, a member while the list holds. */
export const isAdmitted = (list: AccessList, node: Uint8Array, nowMs: number): boolean =>
  bytesEqual(node, list.writer) ||
  (nowMs < list.expires && list.members.some(member => bytesEqual(member, node)))
