import { KeyFamily } from '../../library/index.ts'

/** Families of rows in the node's LevelDB that belong to discovery, as bytes; docs/disk-format.md lists all. */
const family = (name: string): Uint8Array => Buffer.from(name, 'ascii')

export const FAMILIES = {
  claim: family(KeyFamily.ProviderClaim),
  provider: family(KeyFamily.Provider),
  network: family(KeyFamily.ProviderNetwork),
  totals: family(KeyFamily.ProviderTotals),
  schedule: family(KeyFamily.AnnounceSlot),
  pending: family(KeyFamily.AnnouncePending)
} as const
