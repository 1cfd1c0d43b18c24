import type { ReleaseRecord } from '../../library/index.ts'
import { isEquivocated, viewOfName } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Knowledge } from './knowledge.ts'

/** Records of one name that are kept only because they contradict each other: enough for eight owners to show two each. */
const MAX_KEPT_CLAIMS = 16

/**
 * What a look-up found that contradicts itself: of a name without a settled owner the versions that several claim, and the newest of each
 * other owner; always the contents that one owner signed as one version. It is kept as evidence, so that `catalog conflicts` can
 * show it without the network, and peers learn of it. Where the owner is settled, what strangers sign is no evidence of anything.
 */
export function conflictingClaims(
  known: Knowledge,
  here: Knowledge,
  settled: Uint8Array | undefined
): ReleaseRecord[] {
  const { owners, versions } = viewOfName(known, { strategy: 'manual', weights: new Map() })
  const isOpen = settled === undefined && owners.length > 1
  const claims = versions.flatMap(view =>
    view.claims.filter(claim => (isOpen && view.claims.length > 1) || isEquivocated(claim))
  )
  if (isOpen)
    for (const owner of owners) {
      if (claims.some(claim => bytesEqual(claim.owner, owner))) continue
      const own = versions.flatMap(view => view.claims).find(claim => bytesEqual(claim.owner, owner))
      if (own !== undefined) claims.push(own)
    }
  const meant = claims
    .filter(({ owner }) => settled === undefined || bytesEqual(owner, settled))
    .flatMap(({ records }) => records)
  const isHere = new Set(here.records.map(({ id }) => id.toString()))
  const missing = meant.filter(({ id }) => !isHere.has(id.toString()))
  return missing.slice(0, Math.max(0, MAX_KEPT_CLAIMS - (meant.length - missing.length)))
}
