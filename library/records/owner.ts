import { CatalogError } from '../../base/index.ts'
import { bytesEqual } from '../../trust/index.ts'

/**
 * Who speaks as an owner must be that owner: this version cannot check a chain, and a node that believed in one would let anybody
 * speak for any owner. Throws RECORD_INVALID without a chain or with one too many, UNSUPPORTED for a delegate's.
 */
export function checkSignedByOwner(
  { owner, signer, chain }: { owner: Uint8Array; signer: Uint8Array; chain?: unknown },
  kind: string
): void {
  const isOwn = bytesEqual(owner, signer)
  if (isOwn && chain === undefined) return
  if (isOwn) throw new CatalogError('RECORD_INVALID', 'the owner signed it, so there can be no chain')
  if (chain === undefined) {
    throw new CatalogError('RECORD_INVALID', 'the signer is not the owner and no chain says why it may sign')
  }
  throw new CatalogError(
    'UNSUPPORTED',
    `the ${kind} is signed by a delegate, which this version cannot check`,
    {
      hint: 'upgrade Catalog to use it'
    }
  )
}
