/** A node that is challenged without end, or cannot read what it should prove, over real QUIC. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CatalogError, KIB, SECOND_MS, toCatalogError } from '../../../base/index.ts'
import type { ReleaseRecord } from '../../../library/index.ts'
import { ExchangeClient, PROOF } from '../../../protocols/index.ts'
import { DIGESTS_COST, MAKE_MS, PROOF_RATE, TURN_MS } from '../../../protocols/proof/limits.ts'
import type { ProofRequest } from '../../../protocols/proof/messages.js'
import { eventually } from '../../eventually.ts'
import { pseudoRandom } from '../content/fakes.ts'
import { NETWORK, override, publish } from '../fetch/peers.ts'
import { ManualClock } from './manual-clock.ts'
import { introduce } from './nodes.ts'
import { give, outcomeOf, type ProofPeer, startProofPeer } from './proof-peers.ts'

const signal = AbortSignal.timeout(300_000)

let holder: ProofPeer
let mirror: ProofPeer
let stranger: ProofPeer
let record: ReleaseRecord

beforeAll(async () => {
  ;[holder, mirror, stranger] = await Promise.all([startProofPeer(), startProofPeer(), startProofPeer()])
  record = await publish(holder, [{ name: 'big', body: pseudoRandom('big', 400_000) }], 'big')
  await give(holder, mirror, record)
})
afterAll(() => Promise.all([holder, mirror, stranger].map(peer => peer?.close())))

const aborted = (within: AbortSignal): Promise<never> =>
  new Promise((_, reject) => within.addEventListener('abort', () => reject(within.reason)))

describe('a node that is challenged without end', () => {
  const ask = async (
    peer: ProofPeer,
    target: ProofPeer,
    question: Partial<ProofRequest>
  ): Promise<string> => {
    const peerId = await introduce(peer.libp2p, target.libp2p)
    const at = { peerId, addresses: [] }
    const client = await ExchangeClient.open(peer.libp2p, PROOF, NETWORK, at, signal)
    const { name, version, owner, content } = record.release
    try {
      await client.ask({ name, version, owner, content: content.bytes, ...question })
      return 'OK'
    } catch (thrown) {
      return toCatalogError(thrown).code
    } finally {
      client.close()
    }
  }
  const digests = { nonce: new Uint8Array(32) }

  it('answers as much as a peer may ask for, and others all the same', async () => {
    const target = await startProofPeer()
    try {
      await give(holder, target, record)
      const codes: string[] = []
      while (codes.at(-1) !== 'BUSY') codes.push(await ask(stranger, target, digests))
      expect(codes.length).toBeGreaterThan(PROOF_RATE.burst / DIGESTS_COST)
      expect(await ask(mirror, target, digests)).toBe('OK')
    } finally {
      await target.close()
    }
  })

  it('makes one answer for a peer at a time, and says that it is busy when it has no time', async () => {
    const clock = new ManualClock()
    let isSlow = false
    let reads = 0
    let admitted = 0
    const disk = Promise.withResolvers<void>()
    const target = await startProofPeer({
      modules: { clock },
      proof: {
        mayRead: () => {
          admitted++
          return true
        }
      },
      store: real =>
        override(real, 'readBlock', async (id, within) => {
          reads++
          if (isSlow) await disk.promise
          within?.throwIfAborted()
          return await real.readBlock(id, within)
        })
    })
    try {
      await give(holder, target, record)
      expect(await ask(mirror, target, digests), 'its map is made').toBe('OK')
      isSlow = true
      const before = reads
      const first = ask(mirror, target, digests)
      await eventually(() => reads > before)
      expect(await ask(mirror, target, digests), 'a second one of the same peer').toBe('BUSY')
      const second = ask(stranger, target, digests)
      await eventually(() => reads === before + 2)
      const seen = admitted
      const third = ask(holder, target, digests)
      await eventually(() => admitted > seen)
      await clock.advance(MAKE_MS)
      expect(await Promise.all([first, second, third])).toEqual(['BUSY', 'BUSY', 'BUSY'])
      expect(reads - before, 'no more than two at once').toBe(2)
      expect(await ask(mirror, target, digests), 'the disk still reads for it').toBe('BUSY')
      isSlow = false
      disk.resolve()
      expect(await ask(stranger, target, digests)).toBe('OK')
    } finally {
      await target.close()
    }
  })

  it('keeps nobody waiting behind peers whose turn to be sent something does not come', async () => {
    const clock = new ManualClock()
    const slow = new Set([mirror, stranger].map(({ libp2p }) => libp2p.peerId.toString()))
    let waiting = 0
    const target = await startProofPeer({
      modules: {
        clock,
        upload: {
          take: async (peer, _priority, _bytes, within) => {
            if (!slow.has(peer)) return
            waiting++
            await aborted(within!)
          }
        }
      }
    })
    try {
      await give(holder, target, record)
      const late = [ask(mirror, target, digests), ask(stranger, target, digests)]
      await eventually(() => waiting === 2)
      expect(await ask(holder, target, digests)).toBe('OK')
      await clock.advance(MAKE_MS + TURN_MS, 1000)
      expect(await Promise.all(late)).toEqual(['BUSY', 'BUSY'])
    } finally {
      await target.close()
    }
  })

  it('gives a peer the time that a large answer takes over a slow link, and no more', async () => {
    const clock = new ManualClock()
    const target = await startProofPeer({ modules: { clock } })
    try {
      await give(holder, target, record)
      const peerId = await introduce(stranger.libp2p, target.libp2p)
      const at = { peerId, addresses: [] }
      const client = await ExchangeClient.open(stranger.libp2p, PROOF, NETWORK, at, signal)
      const { name, version, owner, content } = record.release
      const askOne = async (): Promise<number> => {
        const sample = { page: 0, offset: 100_000 }
        const { blocks } = await client.ask({ name, version, owner, content: content.bytes, sample })
        return blocks.reduce((sum, { byteLength }) => sum + byteLength, 0)
      }
      const bytes = await askOne()
      expect(bytes).toBeGreaterThan(24 * KIB)
      // 5 s for the question, and a second for each 24 KiB of the answer before it.
      const allowedMs = 5 * SECOND_MS + (bytes / (24 * KIB)) * SECOND_MS
      await clock.advance(allowedMs - 500, 100)
      expect(await askOne()).toBe(bytes)
      await clock.advance(allowedMs + 500, 100)
      await expect(askOne()).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' })
    } finally {
      await target.close()
    }
  })

  it('gives up a content of which a block is gone or damaged', async () => {
    let isDamaged = false
    const target = await startProofPeer({
      store: real =>
        override(real, 'readBlock', async (id, within) => {
          if (isDamaged) throw new CatalogError('CONTENT_CORRUPT', 'damaged')
          return await real.readBlock(id, within)
        })
    })
    try {
      await give(holder, target, record)
      expect(await outcomeOf(mirror, target, record)).toBeTypeOf('object')
      isDamaged = true
      expect(await outcomeOf(mirror, target, record)).toBe('NOT_FOUND')
    } finally {
      await target.close()
    }
  })
})
