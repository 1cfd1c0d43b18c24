/**
 * A record by its id alone. Connected peers are asked whether they have it, whoever published it; a little later, or as soon as
 * none of them does, the DHT is asked who announced it, and those are asked. The first good answer wins and ends the rest.
 */
import type { CID } from 'multiformats/cid'
import { CatalogError, SECOND_MS, timeoutSignal, withSpan } from '../../base/index.ts'
import { isTimely } from '../../library/index.ts'
import type { LookupModules } from './lookup.ts'
import type { PeerRelease } from './network.ts'

export interface FoundRecord extends PeerRelease {
  holder: string
}

/** All of a look-up: an id that nobody holds must fail soon. */
const LOOKUP_TIMEOUT_MS = 10 * SECOND_MS
/** The DHT is asked after this: a connected peer mostly answers within a round trip. */
const HEDGE_MS = 150
/** One peer's answer. */
const ASK_TIMEOUT_MS = 5 * SECOND_MS
/** The next holder is asked when one has not answered after this. */
const PATIENCE_MS = 300
/** Connected peers that are asked: each question is small, and most of them cannot know. */
const MAX_CONNECTED = 20

/** RELEASE_NOT_FOUND when nobody who can be reached has it; else the signal's reason. */
export function lookUpRecord(modules: LookupModules, id: CID, signal: AbortSignal): Promise<FoundRecord> {
  return withSpan('find', { 'catalog.record.id': id.toString() }, () => find(modules, id, signal))
}

async function find(modules: LookupModules, id: CID, signal: AbortSignal): Promise<FoundRecord> {
  const { network, clock } = modules
  const stop = new AbortController()
  const ended = AbortSignal.any([signal, stop.signal, timeoutSignal(LOOKUP_TIMEOUT_MS)])
  const asked = new Map<string, Promise<FoundRecord>>()

  function ask(peerId: string): Promise<FoundRecord> {
    const asking = answerOf(peerId)
    asked.set(peerId, asking)
    // Whoever waits for it hears of it; nobody has to.
    asking.catch(() => undefined)
    return asking
  }

  async function answerOf(peerId: string): Promise<FoundRecord> {
    const limit = AbortSignal.any([ended, timeoutSignal(ASK_TIMEOUT_MS)])
    const found = await network.record(id.toString(), peerId, limit)
    if (found === undefined) throw new CatalogError('RELEASE_NOT_FOUND', `${peerId} has no record ${id}`)
    const statements = found.statements.filter(({ sequence }) => isTimely(sequence, clock.now()))
    return { record: found.record, statements, holder: peerId }
  }

  async function fromTheDht(connected: Promise<unknown>): Promise<FoundRecord> {
    const hedge = clock.wait(HEDGE_MS, ended)
    await Promise.race([hedge, connected.catch(() => undefined)])
    hedge.catch(() => undefined)
    for await (const { peerId } of network.recordHolders(id, ended)) {
      if (asked.has(peerId)) continue
      const patience = clock.wait(PATIENCE_MS, ended).catch(() => undefined)
      const found = await Promise.race([ask(peerId).catch(() => undefined), patience])
      if (found !== undefined) return found
    }
    return await Promise.any(asked.values())
  }

  try {
    const connected = Promise.any(network.connected().slice(0, MAX_CONNECTED).map(ask))
    return await Promise.any([connected, fromTheDht(connected)])
  } catch (cause) {
    signal.throwIfAborted()
    throw new CatalogError(
      'RELEASE_NOT_FOUND',
      `no record ${id} is here or with anybody who can be reached`,
      {
        details: { id: id.toString(), asked: asked.size },
        cause
      }
    )
  } finally {
    stop.abort()
  }
}
