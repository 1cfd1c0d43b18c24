import type { PeerId } from '@libp2p/interface'
import { CatalogError, MINUTE_MS } from '../../base/index.ts'
import type { Hello } from './frames.ts'
import type { Session } from './session.ts'

/**
 * The control streams with one peer. There should be one, and there are two when both sides opened at the same time.
 *
 * The tie-break: of two live streams in opposite directions both sides use the one that was opened by the peer with
 * the smaller id (compared as bytes). Both know both ids, so both choose the same without a message. The other stream
 * takes no new requests, finishes those in flight, and is closed by the side that opened it.
 *
 * Of two streams in the same direction the newer one counts: the peer has lost the older. The same holds when Hello
 * shows another instance than before: the peer was restarted, and whatever it had open is dead.
 */
export class PeerSessions {
  readonly #localIsSmaller: boolean
  #outbound: Session | undefined
  #inbound: Session | undefined
  #opens = 0
  #opensSinceMs = Number.NEGATIVE_INFINITY

  constructor(local: PeerId, remote: PeerId) {
    this.#localIsSmaller = Buffer.compare(local.toMultihash().bytes, remote.toMultihash().bytes) < 0
  }

  all(): Session[] {
    return [this.#outbound, this.#inbound].filter(session => session !== undefined)
  }

  /** Where new requests go; undefined when a stream has to be opened. */
  preferred(): Session | undefined {
    const [outbound, inbound] = [this.#outbound, this.#inbound].map(session =>
      session?.isOpen === true ? session : undefined
    )
    return this.#localIsSmaller ? (outbound ?? inbound) : (inbound ?? outbound)
  }

  add(session: Session): void {
    const older = session.openedHere ? this.#outbound : this.#inbound
    if (session.openedHere) this.#outbound = session
    else this.#inbound = session
    older?.fail(replaced())
  }

  /** Retires the stream that loses the tie-break, and ends those of an earlier life of the peer. */
  onHello(session: Session, hello: Hello): void {
    const other = session.openedHere ? this.#inbound : this.#outbound
    if (other?.hello === undefined || other.isEnded) return
    if (Buffer.compare(other.hello.instance, hello.instance) !== 0) {
      const stale = other.openedMs <= session.openedMs ? other : session
      stale.fail(replaced())
      return
    }
    const winner = session.openedHere === this.#localIsSmaller ? session : other
    const loser = winner === session ? other : session
    if (winner.isOpen) loser.retire()
  }

  remove(session: Session): void {
    if (this.#outbound === session) this.#outbound = undefined
    if (this.#inbound === session) this.#inbound = undefined
  }

  /** Counts a stream the peer opened; returns how many those were in the last minute or less. */
  countOpen(nowMs: number): number {
    if (nowMs - this.#opensSinceMs >= MINUTE_MS) {
      this.#opensSinceMs = nowMs
      this.#opens = 0
    }
    return ++this.#opens
  }

  /** Whether the count of opened streams may be lost with this object. */
  isForgettable(nowMs: number): boolean {
    return nowMs - this.#opensSinceMs >= MINUTE_MS
  }
}

function replaced(): CatalogError {
  return new CatalogError('STREAM_TRUNCATED', 'a newer control stream took the place of this one')
}
