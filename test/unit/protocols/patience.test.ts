/** A peer that says just enough not to be late: over QUIC, with a clock that the test moves. */
import type { Stream } from '@libp2p/interface'
import { describe, expect, test } from 'vitest'
import { CatalogError, MINUTE_MS } from '../../../base/index.ts'
import {
  encodeSyncMessage,
  FRAME_TIMEOUT_MS,
  isSessionOver,
  isSyncViolation,
  LEAST_BYTES_PER_SECOND,
  PATIENCE_MS,
  runSyncSession,
  SESSION_TIMEOUT_MS,
  type SessionPort
} from '../../../protocols/index.ts'
import { patienceLeft } from '../../../protocols/sync/patience.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from './manual-clock.ts'
import { introduce, withNodes } from './nodes.ts'

describe('the patience with a peer', () => {
  test('is used up by waiting, and bytes give it back, up to what it was', () => {
    expect(patienceLeft(PATIENCE_MS, { waitedMs: 1000, bytes: 0 })).toBe(PATIENCE_MS - 1000)
    expect(patienceLeft(5000, { waitedMs: 1000, bytes: 2 * LEAST_BYTES_PER_SECOND })).toBe(6000)
    expect(patienceLeft(PATIENCE_MS, { waitedMs: 1000, bytes: 1e9 }), 'nothing is saved up').toBe(PATIENCE_MS)
    expect(patienceLeft(500, { waitedMs: 1000, bytes: 10 })).toBe(0)
  })

  test('ends a session of which a small frame comes just in time, again and again', async () => {
    await withNodes(2, async ([server, client]) => {
      const streams: Stream[] = []
      await server!.handle('/catalog/test/sync/1', stream => void streams.push(stream))
      await introduce(client!, server!)
      const clock = new ManualClock()
      const startMs = clock.monotonicMs()
      let frames = 0
      const part = { frames: [Uint8Array.of(7)], more: false, records: 0, isFull: false }
      const port: SessionPort<never> = {
        say: async () => part,
        take: async () => {
          frames++
          return false
        }
      }
      const target = { peerId: server!.peerId, networkId: 'test', signal: AbortSignal.timeout(20_000) }
      const traffic = { bytesIn: 0, bytesOut: 0, roundTrips: 0, recordsOut: 0 }
      let code: string | undefined
      const session = runSyncSession({ libp2p: client!, clock }, target, port, traffic).catch(thrown => {
        code = thrown.code
      })
      await eventually(() => streams.length === 1 && traffic.bytesOut > 0)
      const crumb = encodeSyncMessage({ kind: 'records', body: { records: [Uint8Array.of(1)] } })
      for (let sent = 1; sent <= 4 && code === undefined; sent++) {
        await clock.advance(FRAME_TIMEOUT_MS - 1000, 1000)
        if (code !== undefined) break
        streams[0]!.send(crumb)
        await eventually(() => frames === sent || code !== undefined)
      }
      expect([code, frames]).toEqual(['TIMEOUT', 2])
      expect(clock.monotonicMs() - startMs).toBeLessThan(PATIENCE_MS + FRAME_TIMEOUT_MS)
      await session
    })
  })

  test('is not used up by what this side does: a session ends with its time, and what that means is said', async () => {
    await withNodes(2, async ([server, client]) => {
      const streams: Stream[] = []
      await server!.handle('/catalog/test/sync/1', stream => void streams.push(stream))
      await introduce(client!, server!)
      const clock = new ManualClock()
      let frames = 0
      const part = { frames: [Uint8Array.of(7)], more: false, records: 0, isFull: false }
      const port: SessionPort<never> = {
        say: async () => part,
        // A slow disk.
        take: async () => {
          frames++
          await clock.wait(MINUTE_MS)
          return false
        }
      }
      const target = { peerId: server!.peerId, networkId: 'test', signal: AbortSignal.timeout(20_000) }
      const traffic = { bytesIn: 0, bytesOut: 0, roundTrips: 0, recordsOut: 0 }
      let error: CatalogError | undefined
      const session = runSyncSession({ libp2p: client!, clock }, target, port, traffic).catch(thrown => {
        error = thrown
      })
      await eventually(() => streams.length === 1 && traffic.bytesOut > 0)
      const crumb = encodeSyncMessage({ kind: 'records', body: { records: [Uint8Array.of(1)] } })
      const minutes = SESSION_TIMEOUT_MS / MINUTE_MS
      for (let sent = 1; sent <= minutes; sent++) {
        streams[0]!.send(crumb)
        await eventually(() => frames === sent)
        await clock.advance(MINUTE_MS, MINUTE_MS)
      }
      await session
      expect(error).toMatchObject({ code: 'TIMEOUT', hint: expect.stringContaining('goes on from there') })
      expect(isSessionOver(error!)).toBe(true)
      expect(isSyncViolation(error!)).toBe(false)
      expect(isSyncViolation(new CatalogError('TIMEOUT', 'silence'))).toBe(true)
    })
  })
})
