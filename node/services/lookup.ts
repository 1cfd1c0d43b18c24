/**
 * Releases of a name at peers. Holders are asked as they are found, several at once; the first answer starts a short
 * grace for the others, so that a slow or silent peer costs that grace and not its time-out, while a newer version
 * that another one holds still has its chance. Who has not answered when nearly all of its answers would be here (the 95th
 * percentile of its round trips, and a while to look it up) gives its place to the next.
 *
 * Who owns a name that is not settled yet must not be decided by who answers fastest. Then the look-up waits for every
 * holder that it asked, within a longer time: a second owner among them is told, not overlooked.
 */
import type { CID } from 'multiformats/cid'
import {
  CatalogError,
  type Clock,
  displayDuration,
  type Logger,
  MIB,
  SECOND_MS,
  timeoutSignal,
  toCatalogError,
  untilAborted,
  withSpan
} from '../../base/index.ts'
import { isTimely, type Registry, type ReleaseRecord, type StatementRecord } from '../../library/index.ts'
import type { PeerReleases } from '../../protocols/index.ts'
import type { Topology } from '../../topology/index.ts'
import { expectOpenName } from './closed-names.ts'
import type { Holder, Network, WantedReleases } from './network.ts'

export interface Found {
  /** Checked records, each once. */
  records: ReleaseRecord[]
  /** What is said of them: checked, perhaps several times, old and new. */
  statements: StatementRecord[]
  /** Who said so, in the order of their answers. */
  holders: FoundHolder[]
  /** What the others answered, for `why`. */
  failures: Array<{ holder: Holder; error: CatalogError }>
}

export interface FoundHolder extends Holder {
  /** By CID of a content, the id of a record with which it holds that content: perhaps an older one, with other words. */
  records: ReadonlyMap<string, CID>
}

/** A peer that holds a content, and the record by whose id it knows it. */
export interface ReleaseHolder {
  peerId: string
  record: CID
}

/** Which of the holders have the content of a release. */
export function holdersOf(holders: readonly FoundHolder[], { release }: ReleaseRecord): ReleaseHolder[] {
  const content = release.content.toString()
  return holders.flatMap(({ peerId, records }) => {
    const record = records.get(content)
    return record === undefined ? [] : [{ peerId, record }]
  })
}

/** All of a look-up: a name that nobody holds must fail soon. */
const LOOKUP_TIMEOUT_MS = 10 * SECOND_MS
/** After the first answer, where the owner is known. */
const GRACE_MS = 300
/** After the first answer, where the answers settle the owner: enough for a peer across the world to be dialled and asked. */
const SETTLE_MS = 3 * SECOND_MS
/** One peer's answer. */
const ASK_TIMEOUT_MS = 5 * SECOND_MS
/** Holders asked in one look-up: more would hardly know other versions. */
const MAX_ASKED = 20
/** Of them at the same time. */
const MAX_ASKED_AT_ONCE = 8
/** What an honest peer needs to read its answer from a busy disk. */
const READ_MS = 200
/** Record bytes that one look-up keeps, of all peers: eight times what one of them is asked for. */
const MAX_KEPT_BYTES = 16 * MIB

const NO_PROVIDERS_HINT = 'check the spelling of the name, and that its publisher is online; try again later'

export interface LookupModules {
  network: Network
  topology: Pick<Topology, 'order' | 'lateMs'>
  registry: Pick<Registry, 'entries'>
  clock: Clock
  logger: Logger
}

export interface LookupRequest extends WantedReleases {
  /** Whether the answers are to settle who owns the name. */
  readonly settlesOwner?: boolean
}

/**
 * NO_PEERS when the node is alone, NO_PROVIDERS when nobody answers with a release, RELEASE_NOT_FOUND before anybody is asked for a name that
 * only closed libraries have.
 */
export async function lookUp(
  modules: LookupModules,
  wanted: LookupRequest,
  signal: AbortSignal
): Promise<Found> {
  await expectOpenName(modules.registry, wanted, signal)
  return await withSpan('find', { 'catalog.release.name': wanted.name }, () =>
    new Lookup(modules, wanted).run(signal)
  )
}

class Lookup {
  readonly #modules: LookupModules
  readonly #wanted: LookupRequest
  readonly #records = new Map<string, ReleaseRecord>()
  readonly #statements: StatementRecord[] = []
  #keptBytes = 0
  readonly #holders: FoundHolder[] = []
  readonly #failures: Found['failures'] = []
  readonly #stop = new AbortController()
  /** Those that are being asked, and when each is late. */
  readonly #asking = new Map<Promise<void>, number>()
  /** What the search for holders said at its end. */
  #search: CatalogError | undefined
  /** Until the search asks anew, when its answer was a remembered one. */
  #rememberedMs = 0

  constructor(modules: LookupModules, wanted: LookupRequest) {
    this.#modules = modules
    this.#wanted = wanted
  }

  async run(signal: AbortSignal): Promise<Found> {
    const ended = AbortSignal.any([signal, this.#stop.signal, timeoutSignal(LOOKUP_TIMEOUT_MS)])
    try {
      await this.#askAll(ended)
    } catch (error) {
      // The grace or the time limit is over: what was found is the answer. A caller that left gets its reason.
      if (!ended.aborted) throw error
    }
    this.#stop.abort()
    signal.throwIfAborted()
    if (this.#records.size === 0) throw this.#notFound()
    return {
      records: [...this.#records.values()],
      statements: this.#statements,
      holders: this.#holders,
      failures: this.#failures
    }
  }

  async #askAll(ended: AbortSignal): Promise<void> {
    try {
      await this.#askEach(ended)
    } catch (thrown) {
      // That there are no (more) holders is a fact about the search; what the asked ones answer still counts.
      const error = toCatalogError(thrown)
      if (error.code !== 'NO_PEERS' && error.code !== 'NO_PROVIDERS') throw thrown
      this.#search = error
      const retryAfterMs = error.details?.retryAfterMs
      if (typeof retryAfterMs === 'number') this.#rememberedMs = retryAfterMs
    }
    await untilAborted(Promise.all(this.#asking.keys()), ended)
  }

  async #askEach(ended: AbortSignal): Promise<void> {
    const { network, topology, clock } = this.#modules
    let asked = 0
    for await (const holder of network.holders(this.#wanted.name, ended)) {
      const asking = this.#ask(holder, ended).finally(() => this.#asking.delete(asking))
      this.#asking.set(asking, clock.monotonicMs() + topology.lateMs(holder.peerId) + READ_MS)
      if (++asked >= MAX_ASKED) break
      await this.#place(ended)
    }
  }

  /** Waits until fewer than MAX_ASKED_AT_ONCE are asked who are not late. */
  async #place(ended: AbortSignal): Promise<void> {
    const { clock } = this.#modules
    for (;;) {
      const nowMs = clock.monotonicMs()
      const due = [...this.#asking.values()].filter(lateAtMs => lateAtMs > nowMs)
      if (due.length < MAX_ASKED_AT_ONCE) return
      const answered = new AbortController()
      const late = clock.wait(Math.min(...due) - nowMs, answered.signal).catch(() => undefined)
      try {
        await untilAborted(Promise.race([late, ...this.#asking.keys()]), ended)
      } finally {
        answered.abort()
      }
    }
  }

  /** Never rejects: one peer's failure is a fact about that peer. */
  async #ask(holder: Holder, ended: AbortSignal): Promise<void> {
    try {
      const signal = AbortSignal.any([ended, timeoutSignal(ASK_TIMEOUT_MS)])
      const answer = await this.#modules.network.releases(this.#wanted, holder.peerId, signal)
      const { releases } = answer
      if (releases.length === 0) return
      this.#keep(answer)
      const records = new Map(releases.map(({ id, release }) => [release.content.toString(), id]))
      this.#holders.push({ ...holder, records })
      if (this.#holders.length === 1) this.#startGrace()
    } catch (thrown) {
      if (this.#stop.signal.aborted) return
      const error = toCatalogError(thrown)
      this.#failures.push({ holder, error })
      this.#modules.logger.debug(
        { name: this.#wanted.name, peerId: holder.peerId, code: error.code },
        'a holder did not answer with releases'
      )
    }
  }

  /** Keeps what one peer said; with as much as a look-up may bring, it ends. */
  #keep({ releases, statements }: PeerReleases): void {
    for (const record of releases) {
      const id = record.id.toString()
      if (this.#records.has(id)) continue
      this.#records.set(id, record)
      this.#keptBytes += record.bytes.byteLength
    }
    const nowMs = this.#modules.clock.now()
    for (const statement of statements) {
      this.#keptBytes += statement.bytes.byteLength
      if (isTimely(statement.sequence, nowMs)) this.#statements.push(statement)
    }
    if (this.#keptBytes >= MAX_KEPT_BYTES) this.#stop.abort()
  }

  #startGrace(): void {
    const graceMs = this.#wanted.settlesOwner === true ? SETTLE_MS : GRACE_MS
    this.#modules.clock.wait(graceMs, this.#stop.signal).then(
      () => this.#stop.abort(),
      () => undefined
    )
  }

  #notFound(): CatalogError {
    const details = {
      name: this.#wanted.name,
      ...(this.#search === undefined ? {} : { search: this.#search.message }),
      ...(this.#rememberedMs > 0 ? { retryAfterMs: this.#rememberedMs } : {}),
      asked: this.#failures.map(({ holder, error }) => ({ peerId: holder.peerId, code: error.code }))
    }
    // Who was asked and has left since has answered all the same.
    if (this.#modules.network.connected().length === 0 && this.#search?.code !== 'NO_PROVIDERS')
      return new CatalogError(
        'NO_PEERS',
        `${this.#wanted.name} cannot be looked up: the node is connected to nobody`,
        {
          details
        }
      )
    const codes = [...new Set(this.#failures.map(({ error }) => error.code))]
    const remembered =
      this.#rememberedMs > 0
        ? ` (remembered; asked anew in ${displayDuration(Math.ceil(this.#rememberedMs))})`
        : ''
    const message =
      codes.length > 0
        ? `nobody who can be reached holds ${this.#wanted.name}; those who claim to failed with ${codes.join(', ')}`
        : `nothing called "${this.#wanted.name}" is announced by anybody who could be asked${remembered}`
    return new CatalogError('NO_PROVIDERS', message, { details, hint: NO_PROVIDERS_HINT })
  }
}
