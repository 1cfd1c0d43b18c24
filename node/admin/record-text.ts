import * as Type from 'typebox'
import { CatalogError } from '../../base/index.ts'

/** A record of 32 KiB in base64. */
const MAX_RECORD_TEXT = 43_692

/** A signed record in the body of a request. */
export const RecordText = Type.String({
  minLength: 1,
  maxLength: MAX_RECORD_TEXT,
  description: 'The signed record in base64.'
})

/** Throws INVALID_ARGUMENT: Node's own decoder leaves out what is no base64 without a word. */
export function bytesOfRecord(text: string): Uint8Array {
  const bytes = Buffer.from(text, 'base64')
  if (bytes.toString('base64') !== text)
    throw new CatalogError('INVALID_ARGUMENT', "the request's body is not valid: /record: must be base64")
  return new Uint8Array(bytes)
}
