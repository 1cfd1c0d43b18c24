import type { Connection, Stream } from '@libp2p/interface'
import { CatalogError, type Clock, type Logger, SECOND_MS } from '../../base/index.ts'
import { QuicStream } from '../../protocols/index.ts'

/** How often the guard looks, and for how long a stream must have been left unread to count. */
const CHECK_INTERVAL_MS = SECOND_MS

export interface MemoryGuardOptions {
  readonly networkMemoryBytes: number
  readonly maxStreamDataBytes: number
  readonly maxConnectionDataBytes: number
}

export interface MemoryGuardModules {
  readonly clock: Clock
  readonly log: Logger
  connections(): readonly Connection[]
  onEvicted(peerId: string, pinnedBytes: number): void
}

/**
 * Bounds the memory that unread streams pin. QUIC lets a peer fill a window of `maxStreamDataBytes` for each stream, and of
 * `maxConnectionDataBytes` for a connection, that nobody reads; 300 connections could pin 4.5 GB. How full a window is
 * cannot be seen from here, so each stream left unread for a second counts as full; a
 * stream over TCP counts with the bytes that wait in it. Beyond the limit the connection
 * that pins most is closed, of equals the one left unread longest, until the rest fits.
 */
export class MemoryGuard {
  readonly #modules: MemoryGuardModules
  readonly #options: MemoryGuardOptions

  constructor(modules: MemoryGuardModules, options: MemoryGuardOptions) {
    this.#modules = modules
    this.#options = options
  }

  /** Checks once a second until the signal ends. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        await this.#modules.clock.wait(CHECK_INTERVAL_MS, signal)
      } catch {
        return
      }
      this.check()
    }
  }

  /** Bytes that unread streams may pin now. */
  pinnedBytes(): number {
    return this.#pins().reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Closes the worst connections until the rest fits. */
  check(): void {
    const pins = this.#pins().sort((a, b) => b.bytes - a.bytes || a.sinceMs - b.sinceMs)
    let total = pins.reduce((sum, { bytes }) => sum + bytes, 0)
    for (const { connection, bytes } of pins) {
      if (total <= this.#options.networkMemoryBytes) return
      total -= bytes
      const peer = connection.remotePeer.toString()
      this.#modules.log.warn(
        { peer, pinnedBytes: bytes },
        'closed a connection whose unread streams pin too much memory'
      )
      connection.abort(
        new CatalogError('STREAM_TRUNCATED', 'unread streams pin more than memory.network allows')
      )
      this.#modules.onEvicted(peer, bytes)
    }
  }

  #pins(): { connection: Connection; bytes: number; sinceMs: number }[] {
    const latestMs = performance.now() - CHECK_INTERVAL_MS
    return this.#modules.connections().flatMap(connection => {
      const stalled = connection.streams.map(stalledSinceMs).filter(ms => ms !== undefined && ms <= latestMs)
      const { maxStreamDataBytes, maxConnectionDataBytes } = this.#options
      const windows = Math.min(maxConnectionDataBytes, stalled.length * maxStreamDataBytes)
      const bytes = windows + connection.streams.reduce((sum, stream) => sum + waitingBytes(stream), 0)
      if (bytes === 0) return []
      return [{ connection, bytes, sinceMs: Math.min(performance.now(), ...(stalled as number[])) }]
    })
  }
}

const stalledSinceMs = (stream: Stream): number | undefined =>
  stream instanceof QuicStream ? stream.stalledSinceMs : undefined

/** Of QUIC only the window can be told; the few bytes that wait outside it are within the rounding. */
const waitingBytes = (stream: Stream): number => (stream instanceof QuicStream ? 0 : stream.readBufferLength)
