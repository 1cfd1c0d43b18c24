import type { Connection, Libp2p } from '@libp2p/interface'
import { CatalogError, type Logger, timeoutSignal } from '../../base/index.ts'
import { CONFIRM_TIMEOUT_MS } from './options.ts'
import type { HostServices } from './types.ts'

/**
 * Asks the peer of every new connection to identify itself, and closes the connection when it does not. That is how
 * a dialler learns that it was refused (its dial succeeds, then the connection closes), and how a peer of another network,
 * which does not know our identify protocol, does not occupy a slot for long.
 */
export class Identifier {
  readonly #libp2p: Libp2p<HostServices>
  readonly #log: Logger
  readonly #onMet: (peerId: string) => void
  readonly #outcomes = new WeakMap<Connection, Promise<CatalogError | undefined>>()

  constructor(libp2p: Libp2p<HostServices>, log: Logger, onMet: (peerId: string) => void) {
    this.#libp2p = libp2p
    this.#log = log
    this.#onMet = onMet
    libp2p.addEventListener('connection:open', ({ detail }) => void this.#meet(detail))
  }

  /**
   * Resolves once the peer has identified itself. PEER_REFUSED when it closed the connection or belongs to another
   * network, DIAL_FAILED when it did not answer within CONFIRM_TIMEOUT_MS.
   */
  async confirm(connection: Connection): Promise<void> {
    const error = await this.#outcome(connection)
    if (error !== undefined) throw error
  }

  /** Never rejects. */
  async #meet(connection: Connection): Promise<void> {
    const outcome = this.#outcome(connection)
    // Who calls is there. Who takes a call may be about to refuse it, as a peer does that leaves.
    const isThere = connection.direction === 'inbound' || (await outcome) === undefined
    if (isThere && connection.status === 'open') this.#onMet(connection.remotePeer.toString())
  }

  #outcome(connection: Connection): Promise<CatalogError | undefined> {
    const known = this.#outcomes.get(connection)
    if (known !== undefined) return known
    const outcome = this.#identify(connection)
    this.#outcomes.set(connection, outcome)
    return outcome
  }

  /** Never rejects. */
  async #identify(connection: Connection): Promise<CatalogError | undefined> {
    try {
      await this.#libp2p.services.identify.identify(connection, {
        signal: timeoutSignal(CONFIRM_TIMEOUT_MS)
      })
      return undefined
    } catch (thrown) {
      const error = judge(thrown, connection)
      this.#log.debug(
        { peer: connection.remotePeer.toString(), err: error },
        'a new connection was not confirmed'
      )
      connection.abort(error)
      return error
    }
  }
}

function judge(thrown: unknown, connection: Connection): CatalogError {
  const address = connection.remoteAddr.toString()
  const options = { details: { tried: [address], peerId: connection.remotePeer.toString() }, cause: thrown }
  if (thrown instanceof Error && thrown.name === 'UnsupportedProtocolError')
    return new CatalogError('PEER_REFUSED', `${address} belongs to another network`, options)
  if (connection.status !== 'open')
    return new CatalogError(
      'PEER_REFUSED',
      `${address} accepted the connection and closed it at once`,
      options
    )
  const reason = thrown instanceof Error ? thrown.message : String(thrown)
  return new CatalogError('DIAL_FAILED', `${address} did not identify itself: ${reason}`, options)
}
