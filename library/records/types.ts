import type { CID } from 'multiformats/cid'

export const PACKAGE_TYPES = ['package', 'library', 'template', 'vm', 'container'] as const
export type PackageType = (typeof PACKAGE_TYPES)[number]

export const DEPENDENCY_KINDS = ['required', 'optional', 'development', 'build', 'peer'] as const
export type DependencyKind = (typeof DEPENDENCY_KINDS)[number]

export interface Dependency {
  name: string
  range: string
  kind: DependencyKind
  /** Applies only there, e.g. `linux-x64`; absent = everywhere. */
  platform?: string
  features?: string[]
}

/** What a publisher states about a release; everything but identity and content. All fields bounded (limits.ts). */
export interface ReleaseDescription {
  type: PackageType
  description?: string
  keywords?: string[]
  categories?: string[]
  /** SPDX expression. */
  licence?: string
  authors?: string[]
  links?: Record<string, string>
  entryPoint?: string
  dependencies?: Dependency[]
  features?: Record<string, string[]>
  requirements?: Record<string, string>
  hooks?: Record<string, string>
  migrations?: Record<string, string>
  provenance?: Record<string, string>
  extensions?: Record<string, unknown>
}

export interface Release extends ReleaseDescription {
  name: string
  version: string
  /** Root public key of the signer's chain; equal to `signer` until delegation exists. Raw 32-byte Ed25519. */
  owner: Uint8Array
  signer: Uint8Array
  /** Record that delegates from owner to signer; reserved, absent while they are equal. */
  chain?: CID
  /** How `content` is to be read (CONTENT_FORMAT): another number is refused. */
  format: number
  content: CID
  sizeBytes: number
  files: number
  /** Milliseconds since the epoch. */
  publishedAt: number
  /** Larger wins for the same key: max(now in ms, last + 1). */
  sequence: number
  /** Reserved: proof of work over the record. */
  workStamp?: Uint8Array
  /** Fields of the body that this version does not know: kept, and signed again when a release is derived from this one. */
  unknown?: Record<string, unknown>
}

/** What is signed as a new release: owner and signer come from the key that signs, the format from this version. */
export type NewRelease = Omit<Release, 'owner' | 'signer' | 'chain' | 'format'>

/** Which release is meant, whatever its owner says about it: what its key in a set is made of. */
export type ReleaseIdentity = Pick<Release, 'name' | 'version' | 'owner' | 'content'>

/**
 * What an owner says of a release: `active` as published; `deprecated` better not used in new work; `yanked` not chosen any more
 * unless it is named exactly; `archived` kept, and looked after no longer.
 */
export const RELEASE_STATES = ['active', 'deprecated', 'yanked', 'archived'] as const
export type ReleaseState = (typeof RELEASE_STATES)[number]

export interface Status extends ReleaseIdentity {
  state: ReleaseState
  /** One line for people. */
  reason?: string
  /** What to use instead: `name` or `name@range`. */
  replacement?: string
  signer: Uint8Array
  /** Larger wins: max(now in ms, last + 1). */
  sequence: number
}

/** What is signed as a new status; the owner is the key that signs. */
export type NewStatus = Omit<Status, 'owner' | 'signer'>

/** Somebody's word that something holds of a release, or (`holds` false) that it no longer stands by it. */
export interface Attestation extends ReleaseIdentity {
  /** A word such as `approved`, `built`, `tested`; which ones mean what is for those who read them. */
  statement: string
  holds: boolean
  /** Who says so. */
  signer: Uint8Array
  sequence: number
}

export type NewAttestation = Omit<Attestation, 'signer'>

/** A record as it came: the exact signed bytes, its id, and what is understood of it. */
export interface SignedRecord {
  /** CIDv1 dag-cbor SHA-256 over `bytes`. */
  id: CID
  bytes: Uint8Array
  /** `release`, or a kind that is reserved (docs/records.md) or unknown and kept opaque. */
  kind: string
  /** Of two records for one key the larger sequence wins. */
  sequence: number
  /** What it is about, for every kind but `release`. */
  subject?: Uint8Array
  /** The decoded body, to be understood by kind. */
  body: Record<string, unknown>
  signer: Uint8Array
}

export interface ReleaseRecord extends SignedRecord {
  kind: 'release'
  release: Release
}

export interface StatusRecord extends SignedRecord {
  kind: 'status'
  status: Status
}

export interface AttestationRecord extends SignedRecord {
  kind: 'attestation'
  attestation: Attestation
}

/** A record about one release. */
export type StatementRecord = StatusRecord | AttestationRecord
