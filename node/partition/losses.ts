/** What the detector of partitions hears: of the host, who comes and goes; of control streams, who falls silent and who says goodbye. */
import type { PeerId } from '@libp2p/interface'
import { type Clock, LruCache } from '../../base/index.ts'
import type { Control } from '../../protocols/index.ts'
import { PartitionDetector } from '../../topology/index.ts'
import type { Host } from '../host/index.ts'
import { networkOfPeer } from '../peer-network.ts'

/** Peers of which it is kept when they were heard last, from the end of their streams to that of their connections. */
const MAX_HEARD = 2000

export class PeerLosses {
  readonly detector: PartitionDetector
  readonly #heardMs = new LruCache<string, number>({ maxEntries: MAX_HEARD })

  constructor({ host, clock }: { host: Pick<Host, 'libp2p' | 'peers' | 'events'>; clock: Clock }) {
    const detector = new PartitionDetector(clock.monotonicMs())
    this.detector = detector
    const came = (peerId: string): void =>
      detector.came(peerId, networkOfPeer(host, peerId), clock.monotonicMs())
    for (const { peerId } of host.peers()) came(peerId)
    host.events.on('connected', ({ peerId }) => came(peerId))
    host.events.on('disconnected', peerId => detector.went(peerId, clock.monotonicMs()))
    host.events.on('silent', peerId => {
      detector.silent(peerId, clock.monotonicMs(), this.#heardMs.get(peerId))
      this.#heardMs.delete(peerId)
    })
  }

  /** Whether a peer was lost in a partition and is not back. */
  isParted(peerId: string): boolean {
    return this.detector.name === 'partitioned' && this.detector.hasFallenSilent(peerId)
  }

  /** For control: nothing came from a peer any more. */
  readonly onSilent = (peerId: PeerId, heardMs: number): void => {
    this.#heardMs.set(peerId.toString(), heardMs)
  }

  /** Who leaves is not lost. */
  watch(control: Pick<Control, 'onGoodbye'>): void {
    control.onGoodbye(peerId => this.detector.left(peerId.toString()))
  }
}
