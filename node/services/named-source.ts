/** A fetch from the one peer that a user names: nobody else is asked, and what fails says so. */
import { CatalogError, type ErrorCode, toCatalogError } from '../../base/index.ts'
import type { Network } from './network.ts'

/** What says that a release is not where it was looked for. */
const MISSING: ReadonlySet<ErrorCode> = new Set(['NO_PROVIDERS', 'RELEASE_NOT_FOUND', 'NOT_FOUND'])

/** The same network with one peer in it. */
export function onlyPeer(network: Network, peerId: string): Network {
  return {
    ...network,
    connected: () => [peerId],
    async *holders() {
      yield { peerId, source: 'peer', ageMs: 0 }
    },
    async *recordHolders() {},
    async *libraryHolders() {}
  }
}

/** A failure to find `spec` there, in words that name the peer; every other failure as it is. */
export function notAt(peerId: string, spec: string, thrown: unknown): unknown {
  const error = toCatalogError(thrown)
  if (!MISSING.has(error.code)) return thrown
  const { asked, ...details } = (error.details ?? {}) as LookupFailure
  const hint = `leave --from out to ask everybody, or name a peer that has it: \`catalog why ${spec}\` tells who does`
  const options = { hint, details: { ...details, peerId }, cause: error }
  const failed = Array.isArray(asked) ? asked[0] : undefined
  if (failed !== undefined)
    return new CatalogError(
      failed.code,
      `${peerId}, the only peer that was asked, did not say what it has of ${spec}`,
      { ...options, hint: `try again, or ${hint}` }
    )
  // It has others of that name: which ones is worth more.
  if (error.code === 'RELEASE_NOT_FOUND' && details.name !== undefined)
    return new CatalogError(error.code, `${error.message} (only ${peerId} was asked)`, options)
  return new CatalogError(
    'RELEASE_NOT_FOUND',
    `${spec} was not found at ${peerId}, the only peer that was asked`,
    options
  )
}

/** Details of a look-up that failed: by name with who did not answer, by id with how many were asked. */
interface LookupFailure {
  asked?: Array<{ peerId: string; code: ErrorCode }> | number
  name?: string
}
