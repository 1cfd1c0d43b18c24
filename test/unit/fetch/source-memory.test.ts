import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { KIB, MIB, SECOND_MS } from '../../../base/index.ts'
import { ServedPace } from '../../../protocols/content/served-pace.ts'
import { SourceBook } from '../../../protocols/content/swarm/source-book.ts'
import type { SourceMeasured, SourceMemory, SourceRecall } from '../../../protocols/index.ts'
import { eventually } from '../../eventually.ts'
import { publish, withPeers } from './peers.ts'

/** Remembers what it is told, and what it was given to begin with. */
class Memory implements SourceMemory {
  readonly events: string[] = []
  readonly measured = new Map<string, SourceMeasured>()
  readonly #recalls: Record<string, SourceRecall>

  constructor(recalls: Record<string, SourceRecall> = {}) {
    this.#recalls = recalls
  }

  recall(peerId: string): SourceRecall {
    return this.#recalls[peerId] ?? { goodput: undefined, roundTripMs: undefined }
  }

  began(peerId: string): void {
    this.events.push(`began ${peerId}`)
  }

  ended(peerId: string, measured: SourceMeasured): void {
    this.events.push(`ended ${peerId}`)
    this.measured.set(peerId, measured)
  }
}

describe('what is remembered of sources', () => {
  it('is where a fetch begins with each, and what it measured is told at its end', () => {
    const memory = new Memory({ fast: { goodput: 40 * MIB, roundTripMs: 80 } })
    const book = new SourceBook(memory)
    const fast = book.of('fast')
    expect([fast.goodput, fast.latencyMs]).toEqual([40 * MIB, 80])
    // As much as comes in a quarter of a second, not the little of a source that nobody knows.
    expect(fast.requestBytes).toBeGreaterThan(book.of('new').requestBytes)
    expect(book.goodputOf('never drawn from')).toBeUndefined()
    fast.answered(MIB, 100)
    fast.streamEnded(MIB + 1000, 20)
    // Another connection to it was busy at the same time.
    const beside = fast.beside()
    expect(beside.goodput).toBeUndefined()
    beside.answered(MIB, 50)
    beside.streamEnded(MIB, 0)
    book.of('new').isAtMost(5000)
    book.close()
    expect(memory.events).toEqual(['began fast', 'began new', 'ended fast', 'ended new'])
    expect(memory.measured.get('fast')).toEqual({ bytes: 2 * MIB + 1000, tookMs: 120 })
    expect(memory.measured.get('new')).toEqual({ bytes: 0, tookMs: 0, atMost: 5000 })
  })

  it('is told of both sides of a transfer', async () => {
    const memory = new Memory()
    const served: Array<[bytes: number, tookMs: number]> = []
    const server = { onServed: (_: unknown, bytes: number, tookMs: number) => served.push([bytes, tookMs]) }
    await withPeers(
      async (publisher, consumer) => {
        const record = await publish(publisher, [{ name: 'a', body: randomBytes(8 * MIB) }])
        await consumer.fetcher.fetch({ record: record.id, peers: [publisher.libp2p.peerId] })
        const peerId = publisher.libp2p.peerId.toString()
        expect(memory.events).toEqual([`began ${peerId}`, `ended ${peerId}`])
        expect(memory.measured.get(peerId)!.bytes).toBeGreaterThan(0)
        expect(memory.measured.get(peerId)!.tookMs).toBeGreaterThan(0)
        await eventually(() => served.length > 0)
      },
      { publisher: { server }, consumer: { memory } }
    )
  })
})

describe('the pace at which a peer takes what it is sent', () => {
  it('is that of what it asked for after the first answer, whatever buffers took at once', () => {
    const pace = new ServedPace()
    // A window of four requests, all of it handed over at once.
    for (let i = 0; i < 4; i++) pace.asked()
    for (let i = 0; i < 4; i++) pace.answered(256 * KIB, 1000 + i)
    expect(pace.figures).toBeUndefined()
    // From then on one request for each answer that has come, four in a second.
    for (let i = 1; i <= 8; i++) {
      pace.asked()
      pace.answered(256 * KIB, 1000 + i * 250)
    }
    const { bytes, tookMs } = pace.figures!
    expect((bytes / tookMs) * SECOND_MS).toBe(MIB)
  })
})
