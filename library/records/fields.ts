/** Tables of fields, and the checks that several kinds of records share. */
import { PUBLIC_KEY_BYTES } from '../../trust/index.ts'
import { isName, isVersion } from '../names.ts'
import * as check from './checks.ts'
import { RECORD_LIMITS as LIMITS } from './limits.ts'

export interface Field {
  required: boolean
  check: check.Check
}
export const must = (of: check.Check): Field => ({ required: true, check: of })
export const may = (of: check.Check): Field => ({ required: false, check: of })

export const word = check.text({ maxBytes: LIMITS.wordBytes })
export const publicKey = check.bytes(PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES)
/** A range is checked for its form only: whoever reads it treats one that it cannot read as matching nothing. */
export const range = check.text({ maxBytes: LIMITS.rangeBytes, form: /^[ -~]+$/, what: 'printable ASCII' })

export const name: check.Check = (value, field) => {
  if (typeof value !== 'string' || !isName(value)) check.refuse(field, 'is not a package name')
}
export const version: check.Check = (value, field) => {
  if (typeof value !== 'string' || !isVersion(value)) check.refuse(field, 'is not strict SemVer')
}

/** Checks every known field of a map. Throws RECORD_INVALID. */
export function checkFields(map: Record<string, unknown>, fields: Record<string, Field>, prefix = ''): void {
  for (const [field, { required, check: run }] of Object.entries(fields)) {
    if (Object.hasOwn(map, field)) run(map[field], prefix + field)
    else if (required) check.refuse(prefix + field, 'is missing')
  }
}

/** DAG-CBOR has no `undefined`; an absent field is absent. */
export function withoutUndefined(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}
