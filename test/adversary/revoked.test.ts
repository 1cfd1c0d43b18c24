/** A member that is revoked: what it has open ends at once, and from then on it is an outsider, at followers as soon as they know. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Part, rangeMessage } from '../../protocols/content/frames.ts'
import { encodeFrame, type FrameReader, readSyncFrame } from '../../protocols/index.ts'
import { eventually, type TestDaemon } from '../daemon/support.ts'
import { answerTo } from './support/asking.ts'
import { openContent, openSession, QUESTIONS } from './support/questions.ts'
import type { RawPeer } from './support/raw-peer.ts'
import { createScene, type Scene, TEAM } from './support/scene.ts'

/** Within a minute a node looks by itself whether its peers may still have what they have. */
const AT_ONCE_MS = 15_000
const NODES = ['writer', 'follower'] as const

let scene: Scene
beforeAll(async () => {
  scene = await createScene()
})
afterAll(() => scene?.destroy())

/** Asks for more of a large release than it reads: the answers wait on their way, for a minute at least. */
async function slowDownload(peer: RawPeer, daemon: TestDaemon): Promise<FrameReader> {
  const { stream, reader } = await openContent(peer, daemon, scene.large.id.bytes)
  expect(await reader.frame('answer', 1e6), 'it is let in').toHaveLength(0)
  const run = { part: Part.File, page: 0, slot: 0, level: 0, first: 0, count: 12, top: false }
  for (let id = 1; id <= 16; id++) {
    const runs = [{ ...run, first: (id % 4) * run.count }]
    stream.send(encodeFrame([], rangeMessage.encode({ id, runs })))
  }
  expect(await reader.frame('answer', 1e6), 'it has begun').not.toHaveLength(0)
  return reader
}

/** A session in which it is the peer's turn, for two minutes at least. */
async function heldSession(peer: RawPeer, daemon: TestDaemon): Promise<FrameReader> {
  const { reader } = await openSession(peer, daemon, scene.closed.library)
  expect(await readSyncFrame(reader)).toMatchObject({ kind: 'head' })
  return reader
}

/** Reads on; whether there came an end, by now. */
function readingOn(reader: FrameReader): { isOver: boolean } {
  const reading = { isOver: false }
  const over = (): void => {
    reading.isOver = true
  }
  reader.skip(Number.MAX_SAFE_INTEGER).then(over, over)
  return reading
}

describe('a member that is revoked', () => {
  const held: { revoked: FrameReader[]; member: FrameReader[] } = { revoked: [], member: [] }

  it('has a download and a session under way at the writer and at a follower', async () => {
    for (const node of NODES)
      for (const kind of ['revoked', 'member'] as const)
        held[kind].push(
          await slowDownload(scene[kind], scene[node]),
          await heldSession(scene[kind], scene[node])
        )
  })

  it('loses them at once, and nobody else does', async () => {
    const { writer, revoked, follower } = scene
    const connections = NODES.map(node => revoked.connectionsWith(scene[node]))
    await writer.ok('PUT', `/v1/libraries/${TEAM}/members`, { leaving: [revoked.peerId] })
    const reading = held.revoked.map(readingOn)
    await eventually(() => reading.every(({ isOver }) => isOver), AT_ONCE_MS)
    expect(held.member.map(readingOn).filter(({ isOver }) => isOver)).toEqual([])
    expect([writer, follower].map(daemon => revoked.connectionsWith(daemon))).toEqual(connections)
  })

  it.each(NODES)('is told nothing any more at the %s, by any question', async node => {
    const { revoked, closed, control } = scene
    for (const question of QUESTIONS) {
      const nothing = await answerTo(question, revoked, scene[node], control)
      expect(await answerTo(question, revoked, scene[node], closed), question.name).toBe(nothing)
    }
  })

  it.each(NODES)('leaves the others what they may know at the %s', async node => {
    const { member, closed, control } = scene
    for (const question of QUESTIONS.filter(({ answered }) => answered === 'to members')) {
      const nothing = await answerTo(question, member, scene[node], control)
      expect(await answerTo(question, member, scene[node], closed), question.name).not.toBe(nothing)
    }
  })
})
