/** Peers that waste the time and the places of who shows its libraries: over QUIC, with a clock that the test moves. */
import type { Libp2p, Stream } from '@libp2p/interface'
import { describe, expect, test } from 'vitest'
import { CatalogError, type Clock, silentLogger, systemClock } from '../../../base/index.ts'
import {
  encodeSyncMessage,
  FRAME_TIMEOUT_MS,
  HELLO_TIMEOUT_MS,
  MAX_SERVED_SESSIONS,
  MAX_SESSIONS_PER_PEER,
  OPENING_RATE,
  pull,
  runSyncSession,
  type SessionPort,
  SKETCH_AHEAD_MS,
  SKETCHED_RECORDS_PER_SECOND,
  type SyncFrame,
  type SyncMessage,
  SyncServer
} from '../../../protocols/index.ts'
import { readSyncMessage } from '../../../protocols/sync/message.ts'
import { MIN_SERVICE_MS } from '../../../protocols/sync/places.ts'
import { FrameReader } from '../../../protocols/wire/frame-reader.ts'
import { NOT_HERE_MS } from '../../../protocols/wire/not-here.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from './manual-clock.ts'
import { introduce, withNodes } from './nodes.ts'

const PROTOCOL = '/catalog/test/sync/1'
const fin: SyncMessage = { kind: 'fin', body: { root: new Uint8Array(32).fill(7) } }
const hello: SyncMessage = {
  kind: 'hello',
  body: {
    library: new Uint8Array(32),
    root: new Uint8Array(32),
    records: 0,
    revision: 0,
    nonce: new Uint8Array(16),
    cells: new Uint8Array(0),
    counts: new Uint8Array(0),
    traceparent: ''
  }
}

interface World {
  server: Libp2p
  clock: ManualClock
  violations: string[]
  /** Sessions that the server has opened and not closed. */
  open(): number
  seen: SyncFrame[]
  compareInMs: number[]
  sketchInMs: number[]
  syncServer: SyncServer
}

interface Serving {
  /** Thrown instead of beginning a session. */
  refuses?: CatalogError
  take?: SessionPort<unknown>['take']
  say?: SessionPort<unknown>['say']
}

/** A server whose sessions are as told: unless told they end after the first frame. */
async function serving(
  count: number,
  { refuses, take = async () => true, say }: Serving,
  run: (world: World, peers: Libp2p[]) => Promise<void>
): Promise<void> {
  await withNodes(count + 1, async ([server, ...peers]) => {
    const clock = new ManualClock()
    const violations: string[] = []
    const seen: SyncFrame[] = []
    const compareInMs: number[] = []
    const sketchInMs: number[] = []
    let open = 0
    const port: SessionPort<unknown> = {
      take: frame => {
        seen.push(frame)
        return take(frame)
      },
      say: say ?? (async () => spoken([fin], true))
    }
    const syncServer = new SyncServer(
      {
        libp2p: server!,
        serve: async (peer, work) => {
          if (refuses !== undefined) throw refuses
          compareInMs.push(peer.compareInMs)
          sketchInMs.push(peer.sketchInMs)
          open++
          try {
            return await work(port)
          } finally {
            open--
          }
        },
        networkOf: () => undefined,
        clock,
        log: silentLogger
      },
      { networkId: 'test', onViolation: (_, { code }) => void violations.push(code) }
    )
    await syncServer.start()
    for (const peer of peers) await introduce(peer, server!)
    try {
      await run(
        { server: server!, clock, violations, open: () => open, seen, compareInMs, sketchInMs, syncServer },
        peers
      )
    } finally {
      await syncServer.stop()
    }
  })
}

const spoken = (messages: SyncMessage[], ends: boolean, isFull = false) => ({
  frames: messages.map(encodeSyncMessage),
  more: false,
  records: 0,
  isFull,
  ...(ends ? { ended: {} } : {})
})

const open = async (peer: Libp2p, { server }: World): Promise<Stream> =>
  await peer.dialProtocol(server.peerId, PROTOCOL)

/** Sessions of peers, one after the other, each of which has been heard. */
async function begun(world: World, peers: Libp2p[]): Promise<Stream[]> {
  const streams: Stream[] = []
  for (const peer of peers) {
    const { length } = world.seen
    const stream = await open(peer, world)
    stream.send(encodeSyncMessage(hello))
    await eventually(() => world.seen.length > length)
    streams.push(stream)
  }
  return streams
}

/** What the other side says until it ends the stream. */
async function heard(stream: Stream): Promise<string[]> {
  const reader = new FrameReader(pull(stream))
  const said: string[] = []
  try {
    for (let next = await readSyncMessage(reader); next; next = await readSyncMessage(reader))
      said.push(next.message.kind === 'abort' ? `abort ${next.message.body.code}` : next.message.kind)
  } catch {
    said.push('reset')
  }
  return said
}

const never = new Promise<never>(() => undefined)

describe('a peer', () => {
  test('that says hello is answered, and its stream ends', async () => {
    await serving(1, {}, async (world, [peer]) => {
      const stream = await open(peer!, world)
      stream.send(encodeSyncMessage(hello))
      expect(await heard(stream)).toEqual(['fin'])
      expect(world.seen.map(({ kind }) => kind)).toEqual(['hello'])
      await eventually(() => world.open() === 0)
      expect(world.violations).toEqual([])
    })
  })

  test('that says nothing is cut, and one that stops in the middle of a frame', async () => {
    await serving(1, { take: async () => false }, async (world, [peer]) => {
      const silent = await open(peer!, world)
      await eventually(() => world.open() === 1)
      await world.clock.advance(HELLO_TIMEOUT_MS)
      expect(await heard(silent)).toEqual(['abort TIMEOUT'])
      await eventually(() => world.open() === 0)
      const slow = await open(peer!, world)
      slow.send(encodeSyncMessage(hello))
      await eventually(() => world.seen.length === 1)
      slow.send(encodeSyncMessage({ ...hello, body: { ...hello.body, records: 5 } }).subarray(0, 20))
      await world.clock.advance(FRAME_TIMEOUT_MS)
      expect(await heard(slow)).toEqual(['abort TIMEOUT'])
      await eventually(() => world.open() === 0)
      expect(world.violations).toEqual(['TIMEOUT', 'TIMEOUT'])
    })
  })

  test('whose frames are too large, or none, is cut before they are held', async () => {
    await serving(1, { take: async () => false }, async (world, [peer]) => {
      // Kind 6, and a length of 4 GiB - 1; kind 99; kind 7 with a root of 300 bytes.
      for (const bytes of [
        [6, 0xff, 0xff, 0xff, 0xff, 0x0f],
        [99, 1, 0],
        [7, 0xac, 2]
      ]) {
        const stream = await open(peer!, world)
        stream.send(Uint8Array.from(bytes))
        expect(await heard(stream)).toEqual(['abort PROTOCOL_VIOLATION'])
      }
      await eventually(() => world.open() === 0)
      expect(world.seen).toEqual([])
      expect(world.violations).toEqual(Array(3).fill('PROTOCOL_VIOLATION'))
    })
  })

  test('has two sessions at once, and others still get theirs', async () => {
    const started: Array<() => void> = []
    const take = (): Promise<boolean> => new Promise(resolve => started.push(() => resolve(true)))
    await serving(2, { take }, async (world, [greedy, other]) => {
      const streams: Stream[] = []
      for (let index = 0; index < MAX_SESSIONS_PER_PEER; index++) {
        const stream = await open(greedy!, world)
        stream.send(encodeSyncMessage(hello))
        streams.push(stream)
        await eventually(() => started.length === index + 1)
      }
      const more = await open(greedy!, world)
      more.send(encodeSyncMessage(hello))
      expect(await heard(more)).toEqual(['abort BUSY'])
      const honest = await open(other!, world)
      honest.send(encodeSyncMessage(hello))
      await eventually(() => started.length === MAX_SESSIONS_PER_PEER + 1)
      for (const end of started) end()
      expect(await heard(honest)).toEqual(['fin'])
      expect(await Promise.all(streams.map(heard))).toEqual([['fin'], ['fin']])
      expect(world.violations).toEqual([])
      expect(MAX_SERVED_SESSIONS).toBeGreaterThan(MAX_SESSIONS_PER_PEER)
    })
  })

  test('that comes when others keep all places gets one of a peer that has two, which is told', async () => {
    const take = async (): Promise<boolean> => false
    await serving(1 + MAX_SERVED_SESSIONS / MAX_SESSIONS_PER_PEER, { take }, async (world, peers) => {
      const [newcomer, ...slow] = peers
      const streams = await begun(world, [...slow, ...slow])
      expect(world.open()).toBe(MAX_SERVED_SESSIONS)
      const [mine] = await begun(world, [newcomer!])
      const ends = streams.map(heard)
      expect(await Promise.race(ends)).toEqual(['abort BUSY'])
      await eventually(() => world.open() === MAX_SERVED_SESSIONS)
      expect(mine!.status).toBe('open')
      expect(world.violations).toEqual([])
    })
  })

  test('that comes when others have all places, one each, waits until one has had it for a minute', async () => {
    // It is their turn then, for which they may take two minutes.
    const say = async () => spoken([fin], false)
    await serving(1 + MAX_SERVED_SESSIONS, { say }, async (world, [newcomer, ...slow]) => {
      const [first] = await begun(world, slow.slice(0, 1))
      await world.clock.advance(MIN_SERVICE_MS / 2)
      await begun(world, slow.slice(1))
      const refused = await open(newcomer!, world)
      refused.send(encodeSyncMessage(hello))
      expect(await heard(refused)).toEqual(['abort BUSY'])
      await world.clock.advance(MIN_SERVICE_MS / 2)
      await begun(world, [newcomer!])
      expect(await heard(first!)).toEqual(['fin', 'abort BUSY'])
      expect(world.violations).toEqual([])
    })
  })

  test('whose session cannot begin is told why in answer to its hello', async () => {
    for (const code of ['BUSY', 'SHUTTING_DOWN'] as const)
      await serving(1, { refuses: new CatalogError(code, 'not now') }, async (world, [peer]) => {
        for (let times = 0; times <= MAX_SESSIONS_PER_PEER; times++) {
          const stream = await open(peer!, world)
          stream.send(encodeSyncMessage(hello))
          expect(await heard(stream)).toEqual([`abort ${code}`])
        }
        expect(world.violations).toEqual([])
      })
  })

  test('whose session cannot begin, and that says nothing, is cut', async () => {
    await serving(1, { refuses: new CatalogError('BUSY', 'not now') }, async (world, [peer]) => {
      const silent = await open(peer!, world)
      await eventually(() => world.server.getConnections()[0]!.streams.length > 0)
      await world.clock.advance(HELLO_TIMEOUT_MS)
      expect(await heard(silent)).toEqual(['abort TIMEOUT'])
    })
  })

  test('that has had a large library compared is told when it may again', async () => {
    await serving(1, { say: async () => spoken([fin], true, true) }, async (world, [peer]) => {
      for (let round = 0; round < 2; round++) {
        const stream = await open(peer!, world)
        stream.send(encodeSyncMessage(hello))
        expect(await heard(stream)).toEqual(['fin'])
        await world.clock.advance(20_000)
      }
      await world.clock.advance(40_000)
      const stream = await open(peer!, world)
      stream.send(encodeSyncMessage(hello))
      expect(await heard(stream)).toEqual(['fin'])
      expect(world.compareInMs).toEqual([0, 40_000, 0])
    })
  })

  test('that has had its share of sketches is told when there are more', async () => {
    // A second more than it may be ahead.
    const sketchedRecords = SKETCHED_RECORDS_PER_SECOND * (SKETCH_AHEAD_MS / 1000 + 1)
    await serving(
      1,
      { say: async () => ({ ...spoken([fin], true), sketchedRecords }) },
      async (world, [peer]) => {
        for (const advanceMs of [600, 10_400, 0]) {
          const stream = await open(peer!, world)
          stream.send(encodeSyncMessage(hello))
          expect(await heard(stream)).toEqual(['fin'])
          await world.clock.advance(advanceMs)
        }
        expect(world.sketchInMs).toEqual([0, 400, 1000])
      }
    )
  })

  test('that opens one session after the other is told to wait, and is served again', async () => {
    await serving(1, {}, async (world, [peer]) => {
      const session = async (): Promise<string[]> => {
        const stream = await open(peer!, world)
        stream.send(encodeSyncMessage(hello))
        const said = await heard(stream)
        await stream.close()
        await eventually(() => world.server.getConnections()[0]!.streams.length === 0)
        return said
      }
      for (let opened = 0; opened < OPENING_RATE.burst; opened++) expect(await session()).toEqual(['fin'])
      expect(await session()).toEqual(['abort BUSY'])
      expect(world.violations).toEqual([])
      await world.clock.advance(1000 / OPENING_RATE.perSecond)
      expect(await session()).toEqual(['fin'])
    })
  })

  test('with a session open is cut when the server stops, which waits for that', async () => {
    await serving(1, { take: () => never.catch(() => true) }, async (world, [peer]) => {
      const stream = await open(peer!, world)
      await eventually(() => world.open() === 1)
      await world.syncServer.stop()
      expect(world.open()).toBe(0)
      expect(await heard(stream)).toEqual(['abort SHUTTING_DOWN'])
      await expect(open(peer!, world)).rejects.toThrow()
    })
  })

  test('that refuses is heard by who asked', async () => {
    let asked = false
    const take = async (): Promise<boolean> => {
      asked = true
      throw new CatalogError('NOT_FOUND', 'no such library')
    }
    await serving(1, { take }, async (world, [peer]) => {
      const port: SessionPort<never> = { say: async () => spoken([hello], false), take: async () => false }
      const traffic = { bytesIn: 0, bytesOut: 0, roundTrips: 0, recordsOut: 0 }
      const clock: Clock = systemClock
      const target = { peerId: world.server.peerId, networkId: 'test', signal: new AbortController().signal }
      const throwing: SessionPort<never> = {
        ...port,
        take: async ({ kind }) => {
          throw new CatalogError('PEER_FAILED', `heard ${kind}`, { details: { remoteCode: 'x' } })
        }
      }
      const session = runSyncSession({ libp2p: peer!, clock }, target, throwing, traffic)
      const heard = expect(session).rejects.toThrow('heard abort')
      await eventually(() => asked)
      await world.clock.advance(NOT_HERE_MS)
      await heard
      expect(traffic.bytesIn).toBeGreaterThan(0)
      expect(world.violations).toEqual([])
    })
  })
})
