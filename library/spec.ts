import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import semver from 'semver'
import { CatalogError } from '../base/index.ts'
import { checkName, MAX_NAME_CHARS, quote } from './names.ts'

/** Longest range that is parsed: a spec is typed by a person or stands in a manifest. */
export const MAX_RANGE_CHARS = 256
const MAX_SPEC_CHARS = MAX_NAME_CHARS + 1 + MAX_RANGE_CHARS
const DAG_CBOR_CODE = 0x71
const SHA256_CODE = 0x12
const SHA256_BYTES = 32

/**
 * What a user means by SPEC. `any`: the highest version of the name that is no prerelease. `range`: an npm range, which
 * an exact version is too. `id`: one record, or content, by its hash.
 */
export type Spec =
  | { kind: 'any'; name: string }
  | { kind: 'range'; name: string; range: string; exact: boolean }
  | { kind: 'id'; id: CID }

/**
 * Reads `name`, `name@range`, `@scope/name@1.2.3`, a CID (`bafy…`, version 1, SHA-256) or 64 hex digits (the SHA-256 of a
 * record, with an optional `sha256:` before it). Throws SPEC_INVALID, NAME_INVALID.
 */
export function parseSpec(text: string): Spec {
  if (text.length === 0 || text.length > MAX_SPEC_CHARS) {
    throw new CatalogError('SPEC_INVALID', `a specification has 1 to ${MAX_SPEC_CHARS} characters`)
  }
  const digest = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text)?.[1]
  if (digest !== undefined) return { kind: 'id', id: recordCid(Buffer.from(digest, 'hex')) }
  if (text.startsWith('sha256:')) {
    throw new CatalogError('SPEC_INVALID', `${quote(text)} is not sha256: and 64 lower-case hex digits`)
  }
  // A base32 CIDv1 has 59 characters; a name may begin with "baf" too, so only what parses as a CID is one.
  if (/^baf[a-z2-7]{50,}$/.test(text)) return { kind: 'id', id: parseId(text) }
  return parseNamed(text)
}

/** The same for what must be one version or record, as what cannot be taken back does: INVALID_ARGUMENT for anything wider. */
export function parseExactSpec(text: string): Spec {
  const spec = parseSpec(text)
  if (spec.kind === 'id' || (spec.kind === 'range' && spec.exact)) return spec
  throw new CatalogError('INVALID_ARGUMENT', `${text} does not say which version is meant`, {
    hint: 'give NAME@VERSION, or the CID of the record'
  })
}

function parseNamed(text: string): Spec {
  const at = text.indexOf('@', 1)
  if (at < 0) {
    checkName(text)
    return { kind: 'any', name: text }
  }
  const name = text.slice(0, at)
  const range = text.slice(at + 1).trim()
  checkName(name)
  if (range === '' || range === 'latest') return { kind: 'any', name }
  if (!isRange(range)) {
    throw new CatalogError('SPEC_INVALID', `${quote(range)} in ${quote(text)} is not a version or range`, {
      hint: 'use a version (1.2.3) or a range (^1.2.0, ">=1 <3", 2.x)'
    })
  }
  return { kind: 'range', name, range, exact: semver.valid(range) !== null }
}

/** Whether node-semver, which decides what a range matches, can read it. */
export function isRange(range: string): boolean {
  return range.length <= MAX_RANGE_CHARS && semver.validRange(range) !== null
}

/** Reads a CIDv1 with SHA-256. Throws SPEC_INVALID. */
export function parseId(text: string): CID {
  try {
    const id = CID.parse(text)
    if (id.version === 1 && id.multihash.code === SHA256_CODE && id.multihash.size === SHA256_BYTES) return id
  } catch (cause) {
    throw new CatalogError('SPEC_INVALID', `${quote(text)} is not a CID`, { cause })
  }
  throw new CatalogError('SPEC_INVALID', `${quote(text)} is not a CIDv1 with SHA-256`)
}

/** The CIDv1 dag-cbor of a SHA-256 digest: how records are named. */
export function recordCid(digest: Uint8Array): CID {
  return CID.createV1(DAG_CBOR_CODE, createDigest(SHA256_CODE, new Uint8Array(digest)))
}

/** `name@version` for messages. */
export function formatSpec(spec: Spec): string {
  if (spec.kind === 'id') return spec.id.toString()
  return spec.kind === 'any' ? spec.name : `${spec.name}@${spec.range}`
}

/**
 * Whether a version is meant by a spec of its name, by npm's rules: a prerelease counts only when the range itself names a
 * prerelease of the same MAJOR.MINOR.PATCH.
 */
export function specMatches(spec: Exclude<Spec, { kind: 'id' }>, version: string): boolean {
  return semver.satisfies(version, spec.kind === 'any' ? '*' : spec.range)
}

/** Whether a version is within a spec of its name, prereleases like all others: for what is to be kept away. */
export function specCovers(spec: Exclude<Spec, { kind: 'id' }>, version: string): boolean {
  return spec.kind === 'any' || semver.satisfies(version, spec.range, { includePrerelease: true })
}

/**
 * The highest of `versions` that a spec means. A name without a range falls back to the highest prerelease when
 * there is nothing else, since the user asked for whatever there is.
 */
export function highestVersion(
  spec: Exclude<Spec, { kind: 'id' }>,
  versions: Iterable<string>
): string | undefined {
  let best: string | undefined
  let bestPrerelease: string | undefined
  for (const version of versions) {
    if (specMatches(spec, version)) best = higher(best, version)
    else if (spec.kind === 'any') bestPrerelease = higher(bestPrerelease, version)
  }
  return best ?? bestPrerelease
}

const higher = (best: string | undefined, version: string): string =>
  best === undefined || compareVersions(version, best) > 0 ? version : best

/** Order of SemVer precedence: negative when `a` comes before `b`. Both must be valid versions. */
export function compareVersions(a: string, b: string): number {
  return semver.compare(a, b)
}
