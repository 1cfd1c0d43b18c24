/**
 * Looks for peers that were lost, as long as they are: some at a time, again and again, so that a way that is back is found within seconds and
 * costs little while it is not. As soon as one is back all are dialled. Both sides of a partition do it, whoever can be dialled.
 */
import {
  backoffDelayMs,
  type CatalogError,
  type Clock,
  changedWithin,
  HOUR_MS,
  MINUTE_MS,
  type RetryPolicy,
  SECOND_MS,
  Signpost,
  timeoutSignal,
  toCatalogError
} from '../../base/index.ts'
import type { PartitionDetector } from '../../topology/index.ts'
import type { Host } from '../host/index.ts'

/** Dials of one round: some 10 KB/s go into a way that swallows them. */
const DIALS = 4
/** Once one is back: as many as libp2p dials at once. */
const RETURNING_DIALS = 32
/** Longer than two of QUIC's own attempts; the way may come back right after one. */
const DIAL_MS = 2 * SECOND_MS
const AGAIN: RetryPolicy = {
  attempts: Number.MAX_SAFE_INTEGER,
  firstDelayMs: SECOND_MS,
  maxDelayMs: 2 * SECOND_MS,
  factor: 2,
  jitter: 0.5
}
/** Peers that come one after the other do not have all dialled more often. */
const LEAST_WAIT_MS = SECOND_MS / 4
/** A node that is cut off for so long looks less often. */
const LONG_MS = HOUR_MS
const LONG_WAIT_MS = MINUTE_MS

export interface RedialingModules {
  readonly host: Pick<Host, 'connect' | 'events'>
  readonly detector: PartitionDetector
  readonly clock: Clock
  readonly random: () => number
}

/** Ends when nobody is looked for any more, or by the signal. Never rejects. */
export async function redialLost(modules: RedialingModules, signal: AbortSignal): Promise<void> {
  const { host, detector, clock, random } = modules
  const beganMs = clock.monotonicMs()
  const came = new Signpost()
  const onConnected = (): void => came.show()
  host.events.on('connected', onConnected)
  try {
    for (let round = 1; !signal.aborted; round++) {
      const lost = detector.lost.map(({ peerId }) => peerId)
      if (lost.length === 0) return
      const changed = came.shown()
      const count = detector.isReturning ? RETURNING_DIALS : DIALS
      await Promise.all(some(lost, count, random).map(peerId => dial(modules, peerId, signal)))
      const isLong = clock.monotonicMs() - beganMs > LONG_MS
      const waitMs = isLong ? LONG_WAIT_MS : backoffDelayMs(AGAIN, round, random())
      await clock
        .wait(LEAST_WAIT_MS, signal)
        .then(() => changedWithin(changed, waitMs - LEAST_WAIT_MS, { clock, signal }))
        .catch(() => undefined)
    }
  } finally {
    host.events.off('connected', onConnected)
  }
}

async function dial(
  { host, detector }: RedialingModules,
  peerId: string,
  signal: AbortSignal
): Promise<void> {
  try {
    await host.connect(`/p2p/${peerId}`, AbortSignal.any([signal, timeoutSignal(DIAL_MS)]))
  } catch (thrown) {
    const { code }: CatalogError = toCatalogError(thrown)
    // It is there, and does not want this node, or the other way round.
    if (code === 'PEER_REFUSED' || code === 'PEER_BANNED') detector.excuse(peerId)
  }
}

/** Each as likely as any other. */
const some = (peers: readonly string[], count: number, random: () => number): string[] =>
  peers
    .map(peerId => ({ peerId, lot: random() }))
    .sort((a, b) => a.lot - b.lot)
    .slice(0, count)
    .map(({ peerId }) => peerId)
