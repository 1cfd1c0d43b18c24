/** A home whose disk was put back as it was, in the same folder: what it tells others before and after they have said what they know of it. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OwnHeads } from '../../../node/services/own-heads.ts'
import { decodeHead, libraryIdOf, readHead } from '../../../sync/index.ts'
import { eventually } from '../../eventually.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf, NOW_MS } from '../records/examples.ts'
import { follow, numbered, SyncHome } from '../sync/homes.ts'
import { DAY_MS, HOUR_MS } from './following-world.ts'

const { signal } = new AbortController()
const anybody = keyOf('anybody').publicKey

/** As it was after its first release. */
let restored: SyncHome
let follower: SyncHome
let clock: ManualClock
let heads: OwnHeads
/** What the follower has of the library: of the second release. */
let lost: Uint8Array

beforeEach(async () => {
  follower = await SyncHome.open('follower')
  const writer = await SyncHome.open('writer')
  restored = await SyncHome.open('writer')
  await Promise.all([writer.publish(numbered(1)), restored.publish(numbered(1))])
  await writer.publish(numbered(2))
  await follow(follower, writer)
  lost = (await follower.sets.headOf(writer.library))!
  await writer.close()
  start(HOUR_MS)
})
afterEach(() => Promise.all([restored.close(), follower.close()]))

function start(laterMs: number): void {
  clock = new ManualClock(NOW_MS + laterMs)
  restored.nowMs = follower.nowMs = clock.now()
  heads = new OwnHeads({ sets: restored.sets, clock }, { own: restored.key.publicKey })
}

const told = async (): Promise<number> => (await heads.headOf(restored.library))!.byteLength
const own = (): Uint8Array => readHead(restored.reader, restored.library, restored.key.publicKey)!.bytes

/** Whether the library is shown by now. */
function showing(library = restored.library, node = anybody): { isShown: boolean; ended: Promise<void> } {
  const state = { isShown: false, ended: Promise.resolve() }
  state.ended = heads.untilTold(library, node, signal).then(() => {
    state.isShown = true
  })
  return state
}

/** Lets time pass until the library is shown. */
const passing = (shown: { isShown: boolean }): Promise<unknown> =>
  eventually(async () => {
    await clock.advance(100)
    return shown.isShown
  })

test('what it signs is told to nobody before a peer has said what it knows, and then it contradicts nothing', async () => {
  await restored.publish(numbered(50))
  expect(await told()).toBe(0)
  const shown = showing()
  expect(await restored.sets.take(lost), 'as the peer tells it').toBe('forgotten')
  heads.answered('follower')
  const head = decodeHead((await heads.headOf(restored.library))!)
  expect(head.bytes).toEqual(own())
  expect(head.epoch).toBeGreaterThan(decodeHead(lost).epoch)
  expect(await follower.sets.take(head.bytes)).toBe('newer')
  expect(await follower.sets.evidence()).toEqual([])
  expect((await follow(follower, restored)).state).toBe('updated')
  await passing(shown)
})

test('without that it would be called a liar', async () => {
  await restored.publish(numbered(50))
  expect(await follower.sets.take(own())).toBe('contradiction')
})

test('a node of which nobody knows more tells it a moment later, or as soon as many have answered', async () => {
  await restored.publish(numbered(2))
  expect(await told()).toBe(0)
  const shown = showing()
  heads.answered('stranger')
  await clock.advance(2900)
  expect([await told(), shown.isShown]).toEqual([0, false])
  await passing(shown)
  expect(await heads.headOf(restored.library)).toEqual(own())
  start(2 * HOUR_MS)
  await restored.publish(numbered(3))
  const other = showing()
  for (let peer = 0; peer < 7; peer++) for (const _ of [1, 2]) heads.answered(`peer ${peer}`)
  expect(await told()).toBe(0)
  heads.answered('peer 7')
  await other.ended
  expect(await heads.headOf(restored.library)).toEqual(own())
})

test('what was signed before the start, or in an epoch that began after it, and what is of others, is told at once', async () => {
  await showing().ended
  expect(await heads.headOf(restored.library)).toEqual(own())
  await restored.sets.access.create({ name: 'tools', access: 'public', members: [] })
  await restored.publishIn('tools', numbered(3))
  expect((await heads.headOf(restored.idOf('tools')))!.byteLength).toBeGreaterThan(0)
  await showing(restored.idOf('tools')).ended
  const other = await SyncHome.open('other')
  try {
    await other.publish(numbered(4))
    await follow(restored, other)
    expect(await heads.headOf(other.library)).toEqual(await other.sets.headOf(other.library))
    await showing(other.library).ended
  } finally {
    await other.close()
  }
  const nowhere = libraryIdOf(anybody, 'nowhere')
  expect(await heads.headOf(nowhere)).toBeUndefined()
  await showing(nowhere).ended
})

test('a library that would be signed again to be shown waits too, but not for who may not know of it', async () => {
  const group = { name: 'team', access: 'restricted', members: [follower.key.publicKey] } as const
  await restored.sets.access.create(group)
  await restored.publishIn('team', numbered(5))
  start(DAY_MS + 2 * HOUR_MS)
  await showing(restored.idOf('team')).ended
  const shown = [showing(), showing(restored.idOf('team'), follower.key.publicKey)]
  await clock.advance(2900)
  expect(shown.map(({ isShown }) => isShown)).toEqual([false, false])
  await Promise.all(shown.map(passing))
})

test('a wait ends with the node', async () => {
  await restored.publish(numbered(50))
  const stopping = new AbortController()
  const waiting = heads.untilTold(restored.library, anybody, stopping.signal)
  await eventually(async () => (await told()) === 0)
  stopping.abort(new Error('stopped'))
  await expect(waiting).rejects.toThrow('stopped')
})
