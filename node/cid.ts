import { CID } from 'multiformats/cid'
import { CatalogError } from '../base/index.ts'

/** Reads a CID in text. INVALID_ARGUMENT. */
export function parseCid(text: string): CID {
  try {
    return CID.parse(text)
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', `"${text.slice(0, 80)}" is not a CID`, { cause })
  }
}
