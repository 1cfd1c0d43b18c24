/**
 * Who has the places of served sessions. A session may take its time, so a few peers that are slow on purpose, each within all
 * time-outs, would keep out everybody else. Once all places are taken a newcomer therefore gets the place of a session that has
 * more beside it than the newcomer has: of a network with more sessions, or of a peer with more in the newcomer's own network. A
 * name costs nothing and a network something, so networks are counted first.
 *
 * Where the newcomer would still have no more than who yields, that is at once. A lead of one session, which only changes sides, is
 * good for a minute: then it goes round. So nobody is kept out longer, and nobody who has as few as the newcomer is driven out.
 */
import { MINUTE_MS } from '../../base/index.ts'
import type { SessionTraffic } from './drive.ts'

/** What a session that is the only one of its network is left alone for: in a quiet minute some 150,000 records go to a follower. */
export const MIN_SERVICE_MS = MINUTE_MS

/** Whose a session is. */
export interface SessionHolder {
  readonly peer: string
  /** What its address counts as; of peers near by, which have none, the peer. */
  readonly network: string
}

export interface PlacedSession extends SessionHolder {
  /** Monotonic. */
  readonly sinceMs: number
  readonly traffic: Readonly<Pick<SessionTraffic, 'bytesIn' | 'bytesOut'>>
}

/** The session that gives its place to a newcomer, when all are taken; undefined when none has to. */
export function whoYields<S extends PlacedSession>(
  sessions: readonly S[],
  newcomer: SessionHolder,
  nowMs: number
): S | undefined {
  const ofNetwork = countBy(sessions, ({ network }) => network)
  const ofPeer = countBy(sessions, ({ peer }) => peer)
  const lead = ({ network, peer }: S): number =>
    network === newcomer.network
      ? ofPeer(peer) - ofPeer(newcomer.peer)
      : ofNetwork(network) - ofNetwork(newcomer.network)
  const mayYield = sessions.filter(session => {
    const isServed = nowMs - session.sinceMs >= MIN_SERVICE_MS
    return lead(session) >= (isServed ? 1 : 2)
  })
  const rank = (session: S): readonly number[] => [
    -ofNetwork(session.network),
    -ofPeer(session.peer),
    pace(session, nowMs),
    session.sinceMs
  ]
  return mayYield.toSorted((a, b) => compare(rank(a), rank(b)))[0]
}

/** Bytes per ms both ways; of one that has only begun as if it had had its minute: it loses least. */
const pace = ({ traffic, sinceMs }: PlacedSession, nowMs: number): number =>
  (traffic.bytesIn + traffic.bytesOut) / Math.max(MIN_SERVICE_MS, nowMs - sinceMs)

function countBy<S>(sessions: readonly S[], keyOf: (session: S) => string): (key: string) => number {
  const counts = new Map<string, number>()
  for (const session of sessions) counts.set(keyOf(session), (counts.get(keyOf(session)) ?? 0) + 1)
  return key => counts.get(key) ?? 0
}

function compare(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index])
  return at < 0 ? 0 : a[at]! - b[at]!
}
