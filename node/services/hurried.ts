import { type Clock, SECOND_MS } from '../../base/index.ts'
import type { Network } from './network.ts'

/** A peer that comes and goes does not make a fetch busier than this. */
const LEAST_WAIT_MS = SECOND_MS / 4

/** A clock whose waits end as soon as a peer that is waited for is connected, but for LEAST_WAIT_MS. */
export function hurried(
  clock: Clock,
  network: Pick<Network, 'onConnected'>,
  isAwaited: (peerId: string) => boolean
): Clock {
  return {
    now: () => clock.now(),
    monotonicMs: () => clock.monotonicMs(),
    async wait(ms, signal) {
      const came = new AbortController()
      const stop = network.onConnected(peerId => isAwaited(peerId) && came.abort())
      try {
        await clock.wait(Math.min(ms, LEAST_WAIT_MS), signal)
        const signals = signal === undefined ? [came.signal] : [came.signal, signal]
        if (ms > LEAST_WAIT_MS) await clock.wait(ms - LEAST_WAIT_MS, AbortSignal.any(signals))
      } catch (error) {
        if (signal?.aborted === true || !came.signal.aborted) throw error
      } finally {
        stop()
      }
    }
  }
}
