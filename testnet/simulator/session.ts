import { CatalogError, toCatalogError } from '../../base/index.ts'
import { abortFrame, FrameReader, readSyncMessage, type SyncMessage } from '../../protocols/index.ts'
import {
  admitRecords,
  awaitSession,
  beginSession,
  findRecord,
  Overlay,
  receive,
  recordFrames,
  replySteps,
  rootOf,
  type Session,
  type SessionOptions,
  type SessionStep,
  type Sketch,
  type TreeView
} from '../../sync/index.ts'
import type { Home, SetView } from './home.ts'
import type { SessionMeter } from './meter.ts'
import { hex, replaces, type SetRecord, type Verifier } from './records.ts'
import type { End } from './stream.ts'

export interface SessionModules {
  home: Home
  verifier: Verifier
  end: End
  meter: SessionMeter
  random: (bytes: number) => Uint8Array
  /** What a node that plays by the rules does not have. */
  mischief?: SessionMischief
  /** Called with each message of the other side. */
  onHeard: () => void
  /** Called with what has joined the set; the node then has another head. */
  onTaken: (records: readonly SetRecord[]) => void
  /** Whether a record is dated so that it may count. */
  isTimely: (record: SetRecord) => boolean
}

/** How a hostile node departs from the protocol. */
export interface SessionMischief {
  /** Changes the cells that are shown of its set. */
  sketch(sketch: Sketch): void
  /** What is sent in place of a turn, in pieces of any size. */
  turn(frames: readonly Uint8Array[]): Promise<readonly Uint8Array[]>
  /** Whether a record that came is taken in. */
  takes(record: SetRecord): boolean
}

export interface SessionParties {
  readonly role: 'initiator' | 'responder'
  readonly library: Uint8Array
  /** Peer ids. */
  readonly initiator: Uint8Array
  readonly responder: Uint8Array
}

export interface SessionResult {
  /** Absent when both sets were found equal. */
  readonly error?: CatalogError
  /** Of the set as the session knew it last. */
  readonly root?: Uint8Array
}

const FROM_PEER = 'the other side'

/** One side of a session over a stream, to its end. The core decides, this reads, verifies, commits and writes. */
export class SessionRun {
  readonly #modules: SessionModules
  /** The set as it was when the session began, */
  readonly #before: SetView
  /** and what has come since. What other sessions do meanwhile is none of this one's business, or two sets would never stand still. */
  readonly #overlay: Overlay
  readonly #arrived = new Map<string, SetRecord>()
  #session: Session
  #admitted: SetRecord[] = []
  readonly #opening: readonly Uint8Array[]

  constructor(modules: SessionModules, { role, library, initiator, responder }: SessionParties) {
    this.#modules = modules
    this.#before = modules.home.view()
    const { tree, sketch } = this.#before
    this.#overlay = new Overlay(tree)
    const options: SessionOptions = {
      library,
      initiator,
      responder,
      revision: modules.home.head()?.revision ?? 0,
      random: modules.random,
      sketch: cells => {
        const shown = sketch.prefix(cells)
        modules.mischief?.sketch(shown)
        return shown
      }
    }
    const step = role === 'initiator' ? beginSession(tree, options) : undefined
    this.#session = step?.session ?? awaitSession(tree, options)
    this.#opening = step?.frames ?? []
  }

  /** Never rejects with what a peer or the network may cause. */
  async run(): Promise<SessionResult> {
    const { end } = this.#modules
    try {
      await this.#write(this.#opening)
      await this.#converse()
      return this.#result()
    } catch (thrown) {
      const error = toCatalogError(thrown)
      if (error.code === 'INTERNAL') throw thrown
      const isTold = error.message.startsWith(FROM_PEER)
      if (!isTold) await end.write(abortFrame(error)).catch(() => undefined)
      return { error, ...this.#result() }
    } finally {
      end.close()
      this.#before.close()
    }
  }

  #result(): SessionResult {
    return { root: rootOf(this.#view.top) }
  }

  get #view(): TreeView {
    return this.#overlay.view
  }

  async #converse(): Promise<void> {
    const { end, meter, onHeard } = this.#modules
    const reader = new FrameReader(end.source)
    for (;;) {
      const next = await readSyncMessage(reader)
      if (next === undefined) throw new CatalogError('STREAM_TRUNCATED', 'the other side closed the stream')
      onHeard()
      meter.heard(next.message, next.sizeBytes)
      if (await this.#hear(next.message, next.sizeBytes)) return
    }
  }

  /** Whether the session is over. */
  async #hear(message: SyncMessage, sizeBytes: number): Promise<boolean> {
    const heard = receive(this.#session, message, sizeBytes)
    this.#session = heard.session
    if (message.kind === 'records') this.#admit(message.body.records)
    if (!heard.hasTurn) return false
    await this.#commit()
    const step = lastOf(replySteps(this.#session, this.#view))
    this.#session = step.session
    await this.#write(this.#framesOf(step))
    return step.isEqual
  }

  #admit(records: readonly Uint8Array[]): void {
    const { verifier, mischief, meter, isTimely } = this.#modules
    const parsed = records.map(bytes => verifier.read(bytes))
    const { session, isNew } = admitRecords(this.#session, this.#view, parsed)
    this.#session = session
    const coming = parsed.filter((_, index) => isNew[index])
    meter.recordsHeld += parsed.length - coming.length
    for (const record of coming) verifier.verify(record)
    this.#admitted.push(...coming.filter(record => isTimely(record) && mischief?.takes(record) !== false))
  }

  /** What was admitted joins the set, and the session goes on with what the set is then. */
  async #commit(): Promise<void> {
    const { home, meter, onTaken } = this.#modules
    const admitted = this.#admitted
    this.#admitted = []
    const taken = await home.take(admitted).catch(cause => {
      throw new CatalogError('INTERNAL', 'verified records could not be taken in', { cause })
    })
    meter.recordsTaken += taken.length
    if (taken.length > 0) onTaken(taken)
    const joining = admitted.filter(record => {
      const here = findRecord(this.#view, record.trieKey)
      return here === undefined || replaces(record, this.#recordOf(here))
    })
    for (const record of joining) this.#arrived.set(hex(record.recHash), record)
    for (const _ of this.#overlay.apply(joining));
  }

  #framesOf({ records, frames }: SessionStep): Uint8Array[] {
    const bytes = Array.from(records, ({ recHash }) => this.#recordOf(recHash).record.bytes)
    return [...recordFrames(bytes), ...frames]
  }

  #recordOf(recHash: Uint8Array): SetRecord {
    const { verifier } = this.#modules
    const known = this.#arrived.get(hex(recHash)) ?? verifier.find(recHash)
    return known ?? verifier.read(this.#before.bytesOf(recHash))
  }

  async #write(turn: readonly Uint8Array[]): Promise<void> {
    const { end, meter, mischief } = this.#modules
    meter.said(turn)
    const pieces = mischief === undefined ? turn : await mischief.turn(turn)
    for (const piece of pieces) await end.write(piece)
  }
}

function lastOf(steps: Generator<void, SessionStep>): SessionStep {
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}
