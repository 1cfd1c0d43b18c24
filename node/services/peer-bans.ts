/**
 * Peers that the operator has banned: no connection is made to them or taken from them, and they are asked for nothing. They stand in
 * the database, so that a ban holds after a restart too.
 */
import { CatalogError, type Clock, type Logger } from '../../base/index.ts'
import { type Database, KeyFamily, makeKey, type WriteOperation } from '../../library/index.ts'
import { parsePeerId } from '../host/index.ts'
import { MAX_REASON_CHARS } from './blocking.ts'

/** More than an operator bans one by one; about 200 bytes each, all of them in memory. */
export const MAX_BANNED = 10_000
/** A row is a reason and a time; a longer one is damage. */
const MAX_ROW_BYTES = 2048

export interface Ban {
  readonly peerId: string
  /** Milliseconds since the epoch; 0 where the row that said so was damaged. */
  readonly bannedAt: number
  readonly reason?: string
}

export interface PeerBansModules {
  database: Database
  clock: Pick<Clock, 'now'>
  logger: Logger
}

export class PeerBans {
  readonly #modules: PeerBansModules
  readonly #banned = new Map<string, Ban>()

  /** Puts in force what earlier lives of the daemon were told. Of a row that cannot be read the reason is lost, and nothing else. */
  static async open(modules: PeerBansModules, signal?: AbortSignal): Promise<PeerBans> {
    const bans = new PeerBans(modules)
    const prefix = makeKey(KeyFamily.PeerBan)
    for await (const [key, value] of modules.database.iterate({ prefix, limit: MAX_BANNED }, signal)) {
      const peerId = Buffer.from(key).toString('utf8', prefix.byteLength)
      const row = readRow(value)
      if (row === undefined) modules.logger.warn({ peer: peerId }, 'the row of a ban cannot be read')
      bans.#banned.set(peerId, { peerId, ...(row ?? { bannedAt: 0 }) })
    }
    return bans
  }

  private constructor(modules: PeerBansModules) {
    this.#modules = modules
  }

  isBanned(peerId: string): boolean {
    return this.#banned.has(peerId)
  }

  of(peerId: string): Ban | undefined {
    return this.#banned.get(peerId)
  }

  /** The last one first. */
  list(): Ban[] {
    return [...this.#banned.values()].sort((a, b) => b.bannedAt - a.bannedAt)
  }

  /** Durable and in force when it resolves. INVALID_ARGUMENT, PEER_BANNED for one that is already, LIMIT_EXCEEDED. */
  async add(text: string, reason: string | undefined, signal?: AbortSignal): Promise<Ban> {
    const peerId = parsePeerId(text).toString()
    if (this.#banned.has(peerId))
      throw new CatalogError('PEER_BANNED', `${peerId} is banned already`, { details: { peerId } })
    if (this.#banned.size >= MAX_BANNED)
      throw new CatalogError('LIMIT_EXCEEDED', `${MAX_BANNED} peers are banned already`, {
        hint: 'let in again whom you need not keep out: `catalog peers list` shows all; or see network.allow'
      })
    const row = { bannedAt: this.#modules.clock.now(), ...(reason === undefined ? {} : { reason }) }
    await this.#write({ type: 'put', key: keyOf(peerId), value: Buffer.from(JSON.stringify(row)) }, signal)
    const ban = { peerId, ...row }
    this.#banned.set(peerId, ban)
    return ban
  }

  /** INVALID_ARGUMENT, NOT_FOUND. */
  async remove(text: string, signal?: AbortSignal): Promise<Ban> {
    const peerId = parsePeerId(text).toString()
    const ban = this.#banned.get(peerId)
    if (ban === undefined)
      throw new CatalogError('NOT_FOUND', `${peerId} is not banned`, {
        hint: '`catalog peers list` shows who is'
      })
    await this.#write({ type: 'del', key: keyOf(peerId) }, signal)
    this.#banned.delete(peerId)
    return ban
  }

  #write(operation: WriteOperation, signal?: AbortSignal): Promise<void> {
    return this.#modules.database.write([operation], { sync: true, ...(signal && { signal }) })
  }
}

const keyOf = (peerId: string): Uint8Array => makeKey(KeyFamily.PeerBan, Buffer.from(peerId))

function readRow(value: Uint8Array): Omit<Ban, 'peerId'> | undefined {
  if (value.byteLength > MAX_ROW_BYTES) return undefined
  try {
    const { reason, bannedAt } = JSON.parse(Buffer.from(value).toString()) as Partial<Ban>
    if (!Number.isSafeInteger(bannedAt)) return undefined
    const isLine = typeof reason === 'string' && reason.length <= MAX_REASON_CHARS
    return { bannedAt: bannedAt!, ...(isLine ? { reason } : {}) }
  } catch {
    return undefined
  }
}
