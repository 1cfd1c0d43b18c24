import type { Connection, Libp2p } from '@libp2p/interface'
import type { Multiaddr } from '@multiformats/multiaddr'
import { raceSignal } from 'race-signal'
import { CatalogError, timeoutSignal, toCatalogError } from '../../base/index.ts'
import { peerIdOf } from './addresses.ts'
import type { Identifier } from './identifier.ts'
import { DIAL_TIMEOUT_MS } from './options.ts'
import type { HostServices } from './types.ts'

/** Errors of libp2p that say this node itself did not want the connection. */
const OWN_RULES = new Set(['DialDeniedError', 'ConnectionInterceptedError'])

/** What libp2p reports while it dials; only the list of addresses matters here. */
interface DialProgress {
  readonly type: string
  readonly detail?: unknown
}

/**
 * Dials, and makes sure of the peer: a dial that the remote refuses resolves all the same and closes a moment later, so
 * the connection counts once the peer has identified itself.
 */
export async function dialPeer(
  libp2p: Libp2p<HostServices>,
  identifier: Identifier,
  address: Multiaddr,
  signal: AbortSignal | undefined
): Promise<Connection> {
  if (peerIdOf(address) === libp2p.peerId.toString())
    throw new CatalogError('PEER_ADDRESS_INVALID', `${address.toString()} is this node itself`)
  const tried = new Set<string>()
  const limit = timeoutSignal(DIAL_TIMEOUT_MS)
  let connection: Connection
  try {
    connection = await libp2p.dial(address, {
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      onProgress: (progress: DialProgress) => noteAddresses(progress, tried)
    })
  } catch (error) {
    throw dialError(error, libp2p.peerId.toString(), address, tried, signal)
  }
  try {
    await raceSignal(identifier.confirm(connection), signal)
  } catch (error) {
    throw signal?.aborted === true ? abortError(signal) : error
  }
  return connection
}

function noteAddresses({ type, detail }: DialProgress, tried: Set<string>): void {
  if (type !== 'dial-queue:calculated-addresses') return
  for (const { multiaddr } of detail as { multiaddr: Multiaddr }[]) tried.add(multiaddr.toString())
}

function dialError(
  error: unknown,
  own: string,
  address: Multiaddr,
  tried: ReadonlySet<string>,
  signal: AbortSignal | undefined
): CatalogError {
  if (signal?.aborted === true) return abortError(signal)
  const details = {
    tried: tried.size > 0 ? [...tried] : [address.toString()],
    reasons: reasonsOf(error, own)
  }
  const name = error instanceof Error ? error.name : ''
  if (OWN_RULES.has(name))
    return new CatalogError(
      'DIAL_FAILED',
      `${address.toString()}: this node's own rules forbid the connection`,
      {
        hint: 'see network.allow, network.deny and network.maxConnections, and `catalog peers list` for bans',
        details,
        cause: error
      }
    )
  // libp2p's words for a connection that was closed between its upgrade and the end of the dial.
  if (name === 'ConnectionClosedError')
    return new CatalogError('PEER_REFUSED', `${address.toString()} closed the connection at once`, {
      details,
      cause: error
    })
  return new CatalogError(
    'DIAL_FAILED',
    `could not reach ${address.toString()}: ${details.reasons.join('; ')}`,
    {
      details,
      cause: error
    }
  )
}

const reasonsOf = (error: unknown, own: string): string[] =>
  error instanceof AggregateError ? error.errors.map(one => messageOf(one, own)) : [messageOf(error, own)]

/** What QUIC says when somebody else has the address, as is common where it is a private one, and this node itself may be the one. */
const OTHER_PEER = /^Dialed peer \S+ but connected to (\S+)$/

const messageOf = (error: unknown, own: string): string => {
  if (!(error instanceof Error)) return String(error)
  const found = OTHER_PEER.exec(error.message)?.[1]
  if (found === own || error.message === 'Can not dial self')
    return 'it is this node itself that answers there'
  if (found !== undefined) return `it is ${found} that answers there`
  // The platform's words for it say neither what was waited for nor how long.
  return error.name === 'TimeoutError' ? `no answer in ${DIAL_TIMEOUT_MS} ms` : error.message
}

/** ABORTED or TIMEOUT, after what the caller's signal says. */
function abortError(signal: AbortSignal): CatalogError {
  const reason = toCatalogError(signal.reason)
  return reason.code === 'INTERNAL'
    ? new CatalogError('ABORTED', 'the dial was cancelled', { cause: reason })
    : reason
}
