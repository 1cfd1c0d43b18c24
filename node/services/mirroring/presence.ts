/** Which members can be reached, and since when: a copy of one that cannot counts for nothing, and is replaced when that lasts. */
import { multiaddr } from '@multiformats/multiaddr'
import type { Clock } from '../../../base/index.ts'
import { networkOf } from '../../../discovery/index.ts'
import type { MirrorPlanner } from '../../../mirror/index.ts'
import type { Host } from '../../host/index.ts'

export interface PresenceModules {
  host: Pick<Host, 'peers'>
  planner: Pick<MirrorPlanner, 'setPeer' | 'removePeer' | 'networkOf'>
  clock: Clock
}

interface Seen {
  readonly isPresent: boolean
  readonly sinceMs: number
  checkedMs: number
}

/** As many as there are members; who is none is forgotten. */
export class MemberPresence {
  readonly #modules: PresenceModules
  readonly #seen = new Map<string, Seen>()

  constructor(modules: PresenceModules) {
    this.#modules = modules
  }

  /** It was seen just now, or could not be reached. */
  set(peer: string, isPresent: boolean): void {
    const { planner, clock } = this.#modules
    const known = this.#seen.get(peer)
    const nowMs = clock.now()
    if (known?.isPresent === isPresent) {
      known.checkedMs = nowMs
      return
    }
    this.#seen.set(peer, { isPresent, sinceMs: nowMs, checkedMs: nowMs })
    planner.setPeer(peer, {
      network: this.#networkOf(peer),
      presentSinceMs: isPresent ? nowMs : (known?.sinceMs ?? nowMs),
      ...(isPresent ? {} : { awaySinceMs: nowMs })
    })
  }

  forget(peer: string): void {
    this.#seen.delete(peer)
    this.#modules.planner.removePeer(peer)
  }

  /** Whether it could not be reached when that was last seen. */
  isAway(peer: string): boolean {
    return this.#seen.get(peer)?.isPresent === false
  }

  /** When it was last looked whether it is there. */
  checkedMs(peer: string): number {
    return this.#seen.get(peer)?.checkedMs ?? 0
  }

  /** The public network of a peer; of one that was connected before, the one that it was in then. */
  #networkOf(peer: string): string | undefined {
    const { host, planner } = this.#modules
    const [address] = host.peers().find(({ peerId }) => peerId === peer)?.addresses ?? []
    return address === undefined ? planner.networkOf(peer) : networkOf(multiaddr(address))
  }
}
