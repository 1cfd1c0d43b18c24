/**
 * Limits that the operator gave to single peers: in force at once, whatever the peer's address and whether it is connected
 * or not, and in the database, so that they hold after a restart too.
 */
import { CatalogError, type Logger } from '../../base/index.ts'
import { type Database, KeyFamily, makeKey } from '../../library/index.ts'
import { type LiveLimit, MAX_BURST_BYTES, MIN_RATE_BYTES, type Throttle } from '../../protocols/index.ts'
import { parsePeerId } from '../host/index.ts'

/** Peers with limits of their own: more than an operator sets by hand; 200 bytes each, all read at the start. */
export const MAX_LIMITED_PEERS = 1000
/** A row is about 60 bytes; a longer one is damage. */
const MAX_ROW_BYTES = 1024

export interface PeerLimitsModules {
  database: Database
  throttle: Pick<Throttle, 'limitPeer'>
  logger: Logger
}

export class PeerLimits {
  readonly #modules: PeerLimitsModules
  readonly #peers = new Set<string>()

  /** Puts in force what earlier lives of the daemon were told. A row that cannot be read is left out, with a warning. */
  static async open(modules: PeerLimitsModules, signal?: AbortSignal): Promise<PeerLimits> {
    const limits = new PeerLimits(modules)
    const prefix = makeKey(KeyFamily.PeerLimit)
    const rows = modules.database.iterate({ prefix, limit: MAX_LIMITED_PEERS }, signal)
    for await (const [key, value] of rows) {
      const peerId = Buffer.from(key).toString('utf8', prefix.byteLength)
      const limit = readLimit(value)
      if (limit === undefined) modules.logger.warn({ peer: peerId }, 'the limits of a peer cannot be read')
      else limits.#inForce(peerId, limit)
    }
    return limits
  }

  private constructor(modules: PeerLimitsModules) {
    this.#modules = modules
  }

  /** Those that have limits of their own. */
  peers(): string[] {
    return [...this.#peers]
  }

  /** In place of those it had. Durable when it resolves. INVALID_ARGUMENT, LIMIT_EXCEEDED. */
  async set(text: string, limit: LiveLimit, signal?: AbortSignal): Promise<void> {
    const peerId = parsePeerId(text).toString()
    if (!this.#peers.has(peerId) && this.#peers.size >= MAX_LIMITED_PEERS)
      throw new CatalogError(
        'LIMIT_EXCEEDED',
        `${MAX_LIMITED_PEERS} peers have limits of their own already`,
        {
          hint: 'clear those that are not needed: `catalog peers list` shows them'
        }
      )
    const value = Buffer.from(JSON.stringify(limit))
    await this.#modules.database.write([{ type: 'put', key: keyOf(peerId), value }], {
      sync: true,
      ...(signal && { signal })
    })
    this.#inForce(peerId, limit)
  }

  /** What is configured holds for it again. Durable when it resolves. */
  async clear(text: string, signal?: AbortSignal): Promise<void> {
    const peerId = parsePeerId(text).toString()
    await this.#modules.database.write([{ type: 'del', key: keyOf(peerId) }], {
      sync: true,
      ...(signal && { signal })
    })
    this.#peers.delete(peerId)
    this.#modules.throttle.limitPeer(peerId, undefined)
  }

  #inForce(peerId: string, limit: LiveLimit): void {
    this.#peers.add(peerId)
    this.#modules.throttle.limitPeer(peerId, limit)
  }
}

const keyOf = (peerId: string): Uint8Array => makeKey(KeyFamily.PeerLimit, Buffer.from(peerId))

function readLimit(value: Uint8Array): LiveLimit | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const { up, down, burst } = JSON.parse(Buffer.from(value).toString()) as LiveLimit
    const isRight = [up, down].every(isRate) && (burst === undefined || isWithin(burst, 1, MAX_BURST_BYTES))
    if (!isRight) return undefined
    return {
      ...(up === undefined ? {} : { up }),
      ...(down === undefined ? {} : { down }),
      ...(burst === undefined ? {} : { burst })
    }
  } catch {
    return undefined
  }
}

const isRate = (rate: unknown): boolean =>
  rate === undefined || rate === 0 || isWithin(rate, MIN_RATE_BYTES, Number.MAX_SAFE_INTEGER)

const isWithin = (value: unknown, min: number, max: number): boolean =>
  Number.isSafeInteger(value) && (value as number) >= min && (value as number) <= max
