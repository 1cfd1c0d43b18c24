import type { PeerId } from '@libp2p/interface'
import { peerIdFromMultihash } from '@libp2p/peer-id'
import { decode as decodeMultihash } from 'multiformats/hashes/digest'
import { CatalogError, type Clock, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import type { Control } from '../control/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { PROBE_RATE, PROBE_VERDICTS, type ProbeVerdict, probePeers } from './types.ts'

/** Who was heard so lately answers, and is not asked for it. A peer that was cut off and is missed by another was not heard for longer. */
const FRESH_MS = 3 * SECOND_MS
/** For a ping over a connection that is open. */
const PING_MS = 1.5 * SECOND_MS

export interface ProbeServerModules {
  readonly control: Pick<Control, 'handle' | 'ping' | 'heardMs'>
  readonly clock: Clock
  /** Whether a peer was connected until lately and fell silent. */
  readonly hasFallenSilent: (peerId: string) => boolean
  /** Of its heartbeats, smoothed; undefined when it was not measured. */
  readonly roundTripMs: (peerId: string) => number | undefined
  /** Throws what is answered instead, as while the node is paused. */
  readonly expectServing: () => void
}

/** What one peer says of another. */
export interface Probed {
  readonly verdict: ProbeVerdict
  readonly roundTripMs: number
}

/**
 * Answers peers that ask whether others answer here. Nobody is dialled for it, and of a peer that there is no control stream with nothing is
 * known, unless it fell silent lately: who asks can have no packet sent to anybody who does not get some already.
 */
export function serveProbes(modules: ProbeServerModules): void {
  const { control, clock, expectServing } = modules
  const rates = new PeerRates(PROBE_RATE, clock)
  control.handle(probePeers, async ({ peers }, { peerId, signal }) => {
    expectServing()
    rates.take(peerId.toString(), peers.length)
    const answers = await Promise.all(peers.map(bytes => probe(modules, idOf(bytes), signal)))
    return {
      answers: answers.map(({ verdict, roundTripMs }) => ({
        verdict: PROBE_VERDICTS.indexOf(verdict),
        roundTripMs
      }))
    }
  })
}

async function probe(modules: ProbeServerModules, peer: PeerId, signal: AbortSignal): Promise<Probed> {
  const { control, clock, hasFallenSilent } = modules
  const id = peer.toString()
  const heardMs = control.heardMs(peer)
  if (heardMs === undefined) return { verdict: hasFallenSilent(id) ? 'silent' : 'unknown', roundTripMs: 0 }
  try {
    if (clock.monotonicMs() - heardMs > FRESH_MS)
      await control.ping(peer, AbortSignal.any([signal, timeoutSignal(PING_MS)]))
  } catch {
    signal.throwIfAborted()
    return { verdict: 'silent', roundTripMs: 0 }
  }
  return { verdict: 'reached', roundTripMs: Math.ceil(modules.roundTripMs(id) ?? 0) }
}

function idOf(bytes: Uint8Array): PeerId {
  try {
    return peerIdFromMultihash(decodeMultihash(bytes))
  } catch (cause) {
    throw new CatalogError('INVALID_ARGUMENT', 'a peer id is none', { cause })
  }
}
