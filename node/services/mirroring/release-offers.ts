/** Offers of nodes that leave, both ways: to take over a content, told by the release that has it. */
import type { PeerId } from '@libp2p/interface'
import type { Registry as MetricsRegistry } from 'prom-client'
import {
  type CatalogError,
  type Clock,
  partMetrics,
  Semaphore,
  showQueue,
  toCatalogError
} from '../../../base/index.ts'
import { decodeRelease, type ReleaseRecord } from '../../../library/index.ts'
import {
  type Control,
  OFFER_RATE,
  OfferRefusal,
  offerRelease,
  PeerRates,
  timeOfNotHere
} from '../../../protocols/index.ts'
import type { Offers } from './types.ts'

/** Offers that are decided at once, and that wait for it; more are answered BUSY. */
const MAX_DECIDING = 8
const MAX_WAITING = 64

export interface ReleaseOffersModules {
  control: Pick<Control, 'request' | 'handle'>
  /** Whether a peer is a member now. */
  isMember(peerId: PeerId): boolean
  /** Whether a peer may read a release, and it is not blocked here. */
  mayRead(peerId: PeerId, record: ReleaseRecord): boolean | Promise<boolean>
  /** Throws while this node is paused or stops. */
  expectServing(): void
  onViolation(peerId: PeerId, error: CatalogError): void
  clock: Clock
  metrics?: MetricsRegistry
}

type Refusal = (typeof OfferRefusal)[keyof typeof OfferRefusal]

export class ReleaseOffers implements Offers {
  readonly #modules: ReleaseOffersModules
  readonly #rates: PeerRates
  readonly #turns = new Semaphore({
    name: offerRelease.name,
    maxActive: MAX_DECIDING,
    maxWaiting: MAX_WAITING
  })
  readonly #decided
  #handler: Parameters<Offers['onOffer']>[0] = async () => false

  /** Answers peers from then on. */
  constructor(modules: ReleaseOffersModules) {
    this.#modules = modules
    this.#rates = new PeerRates(OFFER_RATE, modules.clock)
    showQueue(modules.metrics, this.#turns)
    this.#decided = partMetrics(modules.metrics, 'mirror').counter('decided_offers_total')
    modules.control.handle(offerRelease, async ({ record }, { peerId, signal }) => {
      modules.expectServing()
      this.#rates.take(peerId.toString(), 1)
      const askedMs = modules.clock.monotonicMs()
      const refusal = await this.#turns.run(() => this.#decide(peerId, record.slice(), signal), signal)
      this.#decided.inc({ outcome: refusal === OfferRefusal.None ? 'taken' : 'refused' })
      if (refusal !== OfferRefusal.None) await timeOfNotHere({ clock: modules.clock, askedMs }, signal)
      return { refusal }
    })
  }

  onOffer(handler: Parameters<Offers['onOffer']>[0]): void {
    this.#handler = handler
  }

  async offer(peerId: PeerId, record: ReleaseRecord, signal: AbortSignal): Promise<'accepted' | 'refused'> {
    const { control, mayRead } = this.#modules
    if (!(await mayRead(peerId, record))) return 'refused'
    const { refusal } = await control.request(peerId, offerRelease, { record: record.bytes }, { signal })
    return refusal === OfferRefusal.None ? 'accepted' : 'refused'
  }

  async #decide(peerId: PeerId, bytes: Uint8Array, signal: AbortSignal): Promise<Refusal> {
    const { isMember, mayRead } = this.#modules
    if (!isMember(peerId)) return OfferRefusal.NotMember
    const record = this.#read(peerId, bytes)
    // What it may not read it must not hear of.
    const isTaken = (await mayRead(peerId, record)) && (await this.#handler(peerId, record, signal))
    return isTaken ? OfferRefusal.None : OfferRefusal.NotTaken
  }

  #read(peerId: PeerId, bytes: Uint8Array): ReleaseRecord {
    try {
      return decodeRelease(bytes)
    } catch (thrown) {
      const error = toCatalogError(thrown)
      // A record of a later format is no fault of the peer that passes it on.
      if (error.code !== 'UNSUPPORTED') this.#modules.onViolation(peerId, error)
      throw error
    }
  }
}
