import { CatalogError } from '../base/index.ts'

/** Longest name part and scope, in characters (all ASCII). 64 fits every label of a file system and a DNS-like tool. */
export const MAX_NAME_PART_CHARS = 64
/** `@scope/name`. */
export const MAX_NAME_CHARS = 2 * MAX_NAME_PART_CHARS + 2
/** Longest version; npm allows 256, the longest in its registry are near 60. */
export const MAX_VERSION_CHARS = 128

const PART = '[a-z0-9][a-z0-9._-]{0,63}'
const NAME_FORM = new RegExp(`^(?:@${PART}/)?${PART}$`)
const NUMBER = '(?:0|[1-9]\\d{0,15})'
const PRERELEASE_PART = '(?:0|[1-9]\\d*|\\d*[a-zA-Z-][a-zA-Z0-9-]*)'
/**
 * Strict SemVer 2.0.0 without build metadata: two versions that differ in metadata only would have no order. Written out here, not
 * taken from a package, because it decides which records are valid and so must never change under a format number.
 */
const VERSION_FORM = new RegExp(
  `^(${NUMBER})\\.(${NUMBER})\\.(${NUMBER})(?:-(${PRERELEASE_PART}(?:\\.${PRERELEASE_PART})*))?$`
)

export function isName(name: string): boolean {
  return name.length <= MAX_NAME_CHARS && NAME_FORM.test(name)
}

/** Numbers are at most 2^53 - 1, so that every language compares them alike. */
export function isVersion(version: string): boolean {
  if (version.length > MAX_VERSION_CHARS) return false
  const match = VERSION_FORM.exec(version)
  if (match === null) return false
  const numbers = match.slice(1, 4).concat((match[4] ?? '').split('.').filter(part => /^\d+$/.test(part)))
  return numbers.every(part => Number.isSafeInteger(Number(part)))
}

/** Throws NAME_INVALID with what is wrong. */
export function checkName(name: string): void {
  if (isName(name)) return
  throw new CatalogError('NAME_INVALID', `${quote(name)} is not a package name: ${whatIsWrongWithName(name)}`)
}

function whatIsWrongWithName(name: string): string {
  if (name === '') return 'it is empty'
  if (name.length > MAX_NAME_CHARS) return `it is longer than ${MAX_NAME_CHARS} characters`
  if (/[A-Z]/.test(name)) return 'it has upper-case letters'
  if (name.startsWith('@') && !name.includes('/')) return 'a scope is followed by / and a name'
  if (name.includes('/') && !/^@[^/]+\/[^/]+$/.test(name)) return 'a / stands only after a @scope'
  const bad = /[^a-z0-9._@/-]/u.exec(name)
  if (bad !== null) return `it has the character ${quote(bad[0])}`
  if (name.split('/').some(part => part.replace('@', '').length > MAX_NAME_PART_CHARS))
    return `a part is longer than ${MAX_NAME_PART_CHARS} characters`
  return 'each part begins with a letter or digit'
}

/** Throws VERSION_INVALID with what is wrong. */
export function checkVersion(version: string): void {
  if (isVersion(version)) return
  throw new CatalogError(
    'VERSION_INVALID',
    `${quote(version)} is not a version: ${whatIsWrongWithVersion(version)}`
  )
}

function whatIsWrongWithVersion(version: string): string {
  if (version.length > MAX_VERSION_CHARS) return `it is longer than ${MAX_VERSION_CHARS} characters`
  if (/^[v=]/.test(version)) return 'leave out the leading v or ='
  if (version.includes('+')) return 'build metadata (after +) is not allowed'
  if (/^\d+(\.\d+)?$/.test(version)) return 'it needs three numbers, as in 1.4.0'
  if (/(^|[.-])0\d/.test(version)) return 'a number has a leading zero'
  return 'strict SemVer is MAJOR.MINOR.PATCH, optionally -prerelease'
}

/** For messages: bounded, with control characters escaped. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)
}
