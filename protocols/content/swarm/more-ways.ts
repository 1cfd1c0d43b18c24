import type { Connection, PeerId } from '@libp2p/interface'
import { type Clock, type Logger, toCatalogError } from '../../../base/index.ts'
import { type WayKind, WayPlan } from './ways.ts'

/** Opens connections beside the first one, and closes them. */
export interface WayOpener {
  /** Connections to one peer at most, the first included. */
  readonly maxWays: number
  /** Whether the bounds on memory allow another. */
  readonly hasRoom: boolean
  /** Another connection to a connected peer. NOT_FOUND when it has no address for that, DIAL_FAILED. */
  open(peerId: PeerId, way: WayKind, signal: AbortSignal): Promise<Connection>
  /** Closes one when nothing uses it any more. */
  retire(connection: Connection): void
}

/** A way to a source beside its first. */
export interface ExtraWay {
  readonly key: string
  readonly peerId: PeerId
  readonly way: WayKind
  readonly connection: Connection
}

export interface MoreWaysModules {
  readonly opener: WayOpener
  readonly clock: Clock
  readonly log: Logger
  /** Draws over a way that was opened. */
  readonly start: (way: ExtraWay) => void
  /** Draws over it no more. */
  readonly stop: (way: ExtraWay) => void
  readonly onOutcome: (way: WayKind, outcome: WayOutcome) => void
}

/** What came of a way; each that is opened is kept or dropped once, or neither when the fetch ends first. */
export type WayOutcome = 'opened' | 'dropped' | 'failed'

export interface SourceNow {
  readonly peerId: PeerId
  readonly roundTripMs: number
  /** What came since the last look, by the key of the way; that of the first is the peer's. */
  readonly newBytes: ReadonlyMap<string, number>
}

interface Source {
  readonly plan: WayPlan
  readonly ways: ExtraWay[]
  isOpening: boolean
  /** Since the last look. */
  hasOpened: boolean
  count: number
}

/** The extra ways of one fetch: asks each source's plan now and then, and does what it says. */
export class MoreWays {
  readonly #modules: MoreWaysModules
  readonly #sources = new Map<string, Source>()
  readonly #signal: AbortSignal
  #opening: Promise<void>[] = []

  constructor(modules: MoreWaysModules, signal: AbortSignal) {
    this.#modules = modules
    this.#signal = signal
  }

  /** Looks at each source that is drawn from. */
  look(sources: readonly SourceNow[], leftBytes: number): void {
    const { clock, opener } = this.#modules
    const nowMs = clock.monotonicMs()
    for (const { peerId, roundTripMs, newBytes } of sources) {
      const source = this.#of(peerId)
      const bytes = [...newBytes.values()].reduce((sum, some) => sum + some, 0)
      source.plan.received(bytes, newBytes.get(source.ways.at(-1)?.key ?? '') ?? 0, nowMs)
      if (source.isOpening) continue
      if (source.hasOpened) source.plan.opened(nowMs)
      source.hasOpened = false
      const step = source.plan.step({
        nowMs,
        roundTripMs,
        leftBytes,
        ways: 1 + source.ways.length,
        maxWays: opener.maxWays,
        hasTcp: source.ways.some(({ way }) => way === 'tcp'),
        hasRoom: opener.hasRoom
      })
      if (step.kind === 'add') this.#opening.push(this.#add(source, peerId, step.way))
      else if (step.kind === 'drop') this.#drop(source)
    }
  }

  /** The lane of a way is over. */
  ended(key: string): void {
    for (const source of this.#sources.values()) {
      const { ways, plan } = source
      const at = ways.findIndex(way => way.key === key)
      const [way] = at < 0 ? [] : ways.splice(at, 1)
      if (way === undefined) continue
      source.hasOpened = false
      this.#modules.opener.retire(way.connection)
      plan.failed(way.way, this.#modules.clock.monotonicMs())
    }
  }

  /** Ends with the fetch: every way is closed when its lane has ended. */
  async close(): Promise<void> {
    await Promise.all(this.#opening)
    for (const { ways } of this.#sources.values())
      for (const { connection } of ways.splice(0)) this.#modules.opener.retire(connection)
  }

  /** Never rejects. */
  async #add(source: Source, peerId: PeerId, way: WayKind): Promise<void> {
    const { opener, clock, log, start, onOutcome } = this.#modules
    const fields = { peer: peerId.toString(), way }
    source.isOpening = true
    try {
      const connection = await opener.open(peerId, way, this.#signal)
      const extra = { key: `${peerId}/${++source.count}`, peerId, way, connection }
      source.ways.push(extra)
      source.hasOpened = true
      onOutcome(way, 'opened')
      log.debug(fields, 'a source is drawn from over another connection')
      start(extra)
    } catch (thrown) {
      source.plan.failed(way, clock.monotonicMs())
      if (this.#signal.aborted) return
      onOutcome(way, 'failed')
      log.debug({ ...fields, code: toCatalogError(thrown).code }, 'no other connection to a source')
    } finally {
      source.isOpening = false
    }
  }

  /** Gives up the way that was added last. */
  #drop({ ways }: Source): void {
    const way = ways.pop()
    if (way === undefined) return
    this.#modules.onOutcome(way.way, 'dropped')
    this.#modules.stop(way)
    this.#modules.opener.retire(way.connection)
  }

  #of(peerId: PeerId): Source {
    const key = peerId.toString()
    const known = this.#sources.get(key)
    if (known !== undefined) return known
    const source = {
      plan: new WayPlan(),
      ways: [],
      isOpening: false,
      hasOpened: false,
      count: 0
    }
    this.#sources.set(key, source)
    return source
  }
}
