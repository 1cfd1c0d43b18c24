/** Families of rows in the node's LevelDB that belong to discovery. */
const family = (name: string): Uint8Array => Buffer.from(name, 'ascii')

export const FAMILIES = {
  claim: family('dc/'),
  provider: family('dp/'),
  totals: family('dt/'),
  schedule: family('ds/'),
  pending: family('dn/')
} as const
