import { type CatalogError, type ErrorCode, toCatalogError } from './errors.ts'

/**
 * Nobody could be asked, nobody had a place, or who was asked broke off: another time may do better, and nothing is wrong with what was
 * asked for. That makes it worth a place in the queue of the daemon (`--later`); what is tried again by itself is this and more
 * (`node/services/fetching.ts`).
 */
export const AWAY_CODES: readonly ErrorCode[] = [
  'NO_PEERS',
  'NO_PROVIDERS',
  'DIAL_FAILED',
  'PEER_REFUSED',
  'PEER_LEFT',
  'PARTITIONED',
  'CIRCUIT_OPEN',
  'BUSY',
  'TIMEOUT',
  'STREAM_TRUNCATED',
  'SHUTTING_DOWN'
]

/**
 * Whether it is the others who are away. Two of the codes are said by this side too: TIMEOUT when a time limit of
 * its own is over, which `details.limitOf` names, and SHUTTING_DOWN when it stops itself; a peer's word that it stops has
 * `details.remoteCode`.
 */
export function isAway(thrown: unknown): boolean {
  const { code, details }: CatalogError = toCatalogError(thrown)
  if (code === 'TIMEOUT') return details?.limitOf === undefined
  if (code === 'SHUTTING_DOWN') return details?.remoteCode !== undefined
  return AWAY_CODES.includes(code)
}
