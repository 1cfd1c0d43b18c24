/**
 * Families of rows in the node's LevelDB that belong to discovery (library/database/keys.ts lists all families of all
 * parts, so that two never meet).
 */
const family = (name: string): Uint8Array => Buffer.from(name, 'ascii')

export const FAMILIES = {
  claim: family('dc/'),
  provider: family('dp/'),
  totals: family('dt/'),
  schedule: family('ds/'),
  pending: family('dn/')
} as const
