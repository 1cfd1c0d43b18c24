import type { Stream } from '@libp2p/interface'
import { CatalogError, type Clock, displayDuration, SECOND_MS, timeoutSignal } from '../../base/index.ts'
import { pull } from '../quic/index.ts'
import { FrameReader } from '../wire/frame-reader.ts'
import { drained } from '../wire/frame-writer.ts'
import {
  FRAME_TIMEOUT_MS,
  PATIENCE_MS,
  SEND_TIMEOUT_MS,
  SESSION_TIMEOUT_MS,
  TURN_TIMEOUT_MS
} from './limits.ts'
import { abortFrame, readSyncFrame, type SyncFrame } from './message.ts'
import { patienceLeft } from './patience.ts'

/** A peer that does not take the end of a stream by then has it reset. */
const CLOSE_MS = 2 * SECOND_MS

/** A part of what a side says in its turn. */
export interface SpokenPart<O> {
  readonly frames: readonly Uint8Array[]
  /** Whether there is more of this turn. */
  readonly more: boolean
  readonly records: number
  /** Whether this side spends much on the turn. */
  readonly isFull: boolean
  /** Records that this side has gone through for sketches since the last part. */
  readonly sketchedRecords?: number
  /** The session has ended, once the frames are sent. */
  readonly ended?: { readonly outcome?: O }
}

/** Who knows what is said in a session: it takes frames in and gives those to send. */
export interface SessionPort<O> {
  /** Whether it is this side's turn now. */
  take(frame: SyncFrame): Promise<boolean>
  say(): Promise<SpokenPart<O>>
}

export interface DriveOptions {
  readonly isInitiator: boolean
  /** For the first frame of the other side. */
  readonly firstFrameMs: number
  readonly signal: AbortSignal
  /** Told of each part before it is sent. */
  readonly onPart?: (part: SpokenPart<unknown>) => void
  /** Told of the kind of each frame that comes. */
  readonly onFrame?: (frame: SyncFrame) => void
}

/** What a session has cost so far. */
export interface SessionTraffic {
  bytesIn: number
  bytesOut: number
  /** Turns of this side that the other one has answered. */
  roundTrips: number
  recordsOut: number
}

/**
 * Runs a session over a stream to its end, which closes the stream; undefined when the other side has ended it before. What a side
 * may take for a frame, for taking one and for everything is bounded. Throws what the port throws, the error that the other side
 * named, TIMEOUT, STREAM_TRUNCATED and the signal's reason; the other side is told why, where that can be.
 */
export async function driveSession<O>(
  { stream, clock }: { stream: Stream; clock: Clock },
  port: SessionPort<O>,
  traffic: SessionTraffic,
  options: DriveOptions
): Promise<{ outcome?: O } | undefined> {
  const drive = new Drive(stream, clock, port, traffic, options)
  try {
    const ended = await drive.run()
    await stream.close({ signal: timeoutSignal(CLOSE_MS) }).catch(error => stream.abort(error))
    return ended
  } catch (thrown) {
    drive.sayWhy(thrown)
    throw thrown
  } finally {
    await drive.end()
  }
}

class Drive<O> {
  readonly #stream: Stream
  readonly #clock: Clock
  readonly #port: SessionPort<O>
  readonly #traffic: SessionTraffic
  readonly #options: DriveOptions
  readonly #late = new AbortController()
  readonly #signal: AbortSignal
  readonly #reader: FrameReader
  /** Left with the other side. */
  #patienceMs = PATIENCE_MS

  constructor(
    stream: Stream,
    clock: Clock,
    port: SessionPort<O>,
    traffic: SessionTraffic,
    options: DriveOptions
  ) {
    this.#stream = stream
    this.#clock = clock
    this.#port = port
    this.#traffic = traffic
    this.#options = options
    this.#signal = AbortSignal.any([options.signal, this.#late.signal])
    this.#reader = new FrameReader(pull(stream, { signal: this.#signal }))
  }

  async run(): Promise<{ outcome?: O } | undefined> {
    return await this.#within(SESSION_TIMEOUT_MS, sessionOver(), async () => {
      let hasTurn = this.#options.isInitiator
      let frameMs = this.#options.firstFrameMs
      // Whoever has the turn may work on what came before it speaks.
      for (;;) {
        if (hasTurn) {
          const ended = await this.#say()
          if (ended !== undefined) return ended
          hasTurn = false
          frameMs = TURN_TIMEOUT_MS
        }
        const frame = await this.#patiently(frameMs, late('no whole frame came in time'), async () => {
          const read = await readSyncFrame(this.#reader)
          return { value: read, bytes: read?.sizeBytes ?? 0 }
        })
        if (frame === undefined) return undefined
        frameMs = FRAME_TIMEOUT_MS
        this.#traffic.bytesIn += frame.sizeBytes
        this.#options.onFrame?.(frame)
        hasTurn = await this.#port.take(frame)
        if (hasTurn && this.#traffic.bytesOut > 0) this.#traffic.roundTrips++
      }
    })
  }

  async #say(): Promise<{ outcome?: O } | undefined> {
    for (;;) {
      const part = await this.#port.say()
      this.#signal.throwIfAborted()
      this.#options.onPart?.(part)
      this.#traffic.recordsOut += part.records
      for (const frame of part.frames) this.#stream.send(frame)
      const bytes = part.frames.reduce((sum, { byteLength }) => sum + byteLength, 0)
      this.#traffic.bytesOut += bytes
      await this.#patiently(SEND_TIMEOUT_MS, late('what was sent was not taken'), async () => ({
        value: await drained(this.#stream, this.#signal),
        bytes
      }))
      if (!part.more) return part.ended
    }
  }

  /** The last word, where the stream still takes one. */
  sayWhy(thrown: unknown): void {
    const error = thrown instanceof Error ? thrown : new Error(String(thrown))
    const isTheirs = error instanceof CatalogError && error.details?.remoteCode !== undefined
    if (isTheirs || this.#stream.status !== 'open' || this.#stream.writableNeedsDrain) {
      this.#stream.abort(error)
      return
    }
    this.#stream.send(abortFrame(error))
    this.#stream.close({ signal: timeoutSignal(CLOSE_MS) }).catch(reason => this.#stream.abort(reason))
  }

  async end(): Promise<void> {
    this.#late.abort(new CatalogError('ABORTED', 'the session has ended'))
    // A read that failed has ended the source already.
    await this.#reader.close().catch(() => undefined)
  }

  /** Waits for the other side; whoever has opened the session has no endless patience with it. Who answers waits for its disk as well. */
  async #patiently<T>(
    limitMs: number,
    reason: CatalogError,
    work: () => Promise<{ value: T; bytes: number }>
  ): Promise<T> {
    const askedMs = this.#clock.monotonicMs()
    const mostMs = this.#options.isInitiator ? Math.min(limitMs, this.#patienceMs) : limitMs
    const { value, bytes } = await this.#within(mostMs, reason, work)
    const waitedMs = this.#clock.monotonicMs() - askedMs
    this.#patienceMs = patienceLeft(this.#patienceMs, { waitedMs, bytes })
    return value
  }

  async #within<T>(limitMs: number, reason: CatalogError, work: () => Promise<T>): Promise<T> {
    const done = new AbortController()
    const end = (): void => this.#late.abort(reason)
    this.#clock.wait(limitMs, done.signal).then(end, () => undefined)
    try {
      return await work()
    } finally {
      done.abort()
    }
  }
}

const late = (what: string): CatalogError => new CatalogError('TIMEOUT', what)

/** Of a session in which each step was in time: there was more to do than goes into one, or either machine is slow. */
const sessionOver = (): CatalogError =>
  new CatalogError(
    'TIMEOUT',
    `a session ends after ${displayDuration(SESSION_TIMEOUT_MS)}; what it has stored is kept`,
    { hint: 'run the same again: another session goes on from there', details: { isSessionOver: true } }
  )

/** Whether a session took all the time that one may have, which is nobody's fault. */
export const isSessionOver = ({ details }: CatalogError): boolean => details?.isSessionOver === true
