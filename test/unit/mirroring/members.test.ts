/** What a node says of itself: when it signs, what it never says twice, and how it leaves. */
import { describe, expect, test } from 'vitest'
import { CatalogError, DAY_MS, GIB, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { decodeMember, type MemberRecord, signMember } from '../../../mirror/index.ts'
import { Members } from '../../../node/services/mirroring/members.ts'
import type { OwnMemberOptions } from '../../../node/services/mirroring/own-member.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { keyOf } from '../records/examples.ts'
import { ControlNet } from './control-net.ts'

const { signal } = new AbortController()

interface World {
  net?: ControlNet
  clock?: FakeClock
  database?: MemoryDatabase
}

async function membersOf(
  name: string,
  { net = new ControlNet(), clock = new FakeClock(), database = new MemoryDatabase() }: World = {},
  over: Partial<OwnMemberOptions> = {}
): Promise<Members> {
  const key = keyOf(name)
  const { control, connected, peerId } = net.join(key)
  return await Members.open(
    {
      ...{ database, control, connected, clock, key },
      peerId: peerId.toString(),
      originOf: from => from.toString(),
      onViolation: () => undefined,
      logger: silentLogger,
      random: () => 0.5
    },
    { isEnabled: true, region: 'eu/fra', capacityBytes: 8 * GIB, ...over }
  )
}

const recordOf = (members: Members): MemberRecord => decodeMember(members.ownRecord()!)

describe('a node that volunteers', () => {
  test('signs for a day, again every six hours or a little earlier, and is a member itself', async () => {
    const clock = new FakeClock()
    const startMs = clock.now()
    const members = await membersOf('a', { clock })
    expect(members.members()).toEqual([])
    expect(members.ownRecord()).toBeUndefined()
    let changes = 0
    members.onChange(() => void changes++)
    members.start()
    await clock.settle()
    expect(recordOf(members)).toMatchObject({
      ...{ region: 'eu/fra', capacityClass: 3, sequence: startMs, expires: startMs + DAY_MS }
    })
    expect(members.members()).toEqual([members.own()])
    await clock.advance(5 * HOUR_MS)
    expect(recordOf(members).sequence).toBe(startMs)
    await clock.advance(HOUR_MS)
    const { sequence } = recordOf(members)
    expect(sequence).toBeGreaterThan(startMs)
    await clock.advance(2 * DAY_MS)
    expect(recordOf(members).expires).toBeGreaterThan(clock.now() + 17 * HOUR_MS)
    expect(changes, 'renewals change nothing').toBe(1)
    await members.stop()
  })

  test('signs after a restart what has changed only, and always more than before, even if its clock went back', async () => {
    const [database, clock] = [new MemoryDatabase(), new FakeClock()]
    const startMs = clock.now()
    const run = async (over: Partial<OwnMemberOptions> = {}, at = clock): Promise<MemberRecord> => {
      const members = await membersOf('a', { database, clock: at }, over)
      members.start()
      await at.settle()
      await members.stop()
      return recordOf(members)
    }
    const first = await run()
    await clock.advance(MINUTE_MS)
    expect((await run()).sequence).toBe(first.sequence)
    const moved = await run({ region: 'us' })
    expect(moved).toMatchObject({ region: 'us', sequence: startMs + MINUTE_MS })
    expect((await run({}, new FakeClock())).sequence).toBe(moved.sequence + 1)
  })

  test('signs anew for another class, not for another size', async () => {
    const members = await membersOf('a')
    members.start()
    await members.setCapacity(8 * GIB)
    const { sequence } = recordOf(members)
    await members.setCapacity(9 * GIB)
    expect(recordOf(members).sequence).toBe(sequence)
    let changes = 0
    members.onChange(() => void changes++)
    await members.setCapacity(64 * GIB)
    expect(recordOf(members)).toMatchObject({ capacityClass: 6, sequence: sequence + 1 })
    expect(members.members()).toEqual([members.own()])
    expect(changes).toBe(1)
    await members.stop()
  })

  test('says more than a record of its key that it does not remember', async () => {
    const clock = new FakeClock()
    const members = await membersOf('a', { clock })
    members.start()
    await clock.settle()
    const sequence = clock.now() + MINUTE_MS
    const other = { region: 'asia', capacityClass: 1, sequence, expires: sequence + DAY_MS }
    members.hear(signMember(other, keyOf('a')).bytes)
    expect(members.members()[0]!.region).toBe('asia')
    await clock.advance(2 * MINUTE_MS)
    expect(recordOf(members)).toMatchObject({ region: 'eu/fra', sequence: sequence + 1 })
    await members.stop()
  })

  test('goes on when a record could not be kept, and signs a minute later', async () => {
    const [database, clock] = [new MemoryDatabase(), new FakeClock()]
    database.failure = new CatalogError('DISK_FULL', 'no room')
    const members = await membersOf('a', { database, clock })
    members.start()
    await clock.advance(2 * MINUTE_MS)
    await members.stop()
    expect((await membersOf('a', { database, clock })).members()).toHaveLength(1)
  })
})

describe('a node that leaves', () => {
  test('tells all, at once, and does not come back by a restart but when it is told to', async () => {
    const [net, clock, database] = [new ControlNet(), new FakeClock(), new MemoryDatabase()]
    const [a, b, c] = [
      await membersOf('a', { net, clock, database }),
      await membersOf('b', { net, clock }),
      await membersOf('c', { net, clock })
    ]
    for (const node of [a, b, c]) node.start()
    await clock.advance(5 * MINUTE_MS)
    for (const node of [a, b, c]) expect(node.members()).toHaveLength(3)
    await a.leave(signal)
    await clock.advance(1)
    for (const node of [a, b, c]) expect(node.members()).toHaveLength(2)
    expect([a.isVolunteer, a.ownRecord()]).toEqual([false, undefined])
    expect(a.own().capacityClass).toBe(3)
    await a.stop()

    const again = await membersOf('a', { net, clock, database })
    again.start()
    await clock.advance(HOUR_MS)
    expect([again.isVolunteer, again.members().length]).toEqual([false, 2])
    await again.rejoin()
    await clock.advance(5 * MINUTE_MS)
    for (const node of [again, b, c]) expect(node.members()).toHaveLength(3)
    await Promise.all([again, b, c].map(node => node.stop()))
  })

  test('leaves too when its operator switches mirroring off, and that ends what was said before', async () => {
    const [clock, database] = [new FakeClock(), new MemoryDatabase()]
    const run = async (isEnabled: boolean): Promise<Members> => {
      const members = await membersOf('a', { clock, database }, { isEnabled })
      members.start()
      await clock.advance(2)
      await members.stop()
      return members
    }
    expect((await run(true)).members()).toHaveLength(1)
    const off = await run(false)
    expect([off.isVolunteer, off.members().length]).toEqual([false, 0])
    await (await run(true)).leave(signal)
    expect((await run(true)).isVolunteer).toBe(false)
    await run(false)
    expect((await run(true)).isVolunteer).toBe(true)
  })

  test('is not kept by a peer that does not answer longer than it wants', async () => {
    const [net, clock] = [new ControlNet(), new FakeClock()]
    const [a, b] = [await membersOf('a', { net, clock }), await membersOf('b', { net, clock })]
    a.start()
    await clock.settle()
    net.away.add(b.own().peer)
    await a.leave(signal)
    expect(a.isVolunteer).toBe(false)
    await a.rejoin()
    await expect(a.leave(AbortSignal.abort(new CatalogError('ABORTED', 'enough')))).rejects.toMatchObject({
      code: 'ABORTED'
    })
    await clock.advance(10)
    expect(a.members()).toHaveLength(0)
    await a.stop()
  })
})

test('what is no record, or of somebody else, is refused when it comes with a proof', async () => {
  const clock = new FakeClock()
  const members = await membersOf('a', { clock }, { isEnabled: false })
  const now = clock.now()
  const statement = { region: 'us', capacityClass: 1, sequence: now, expires: now + DAY_MS }
  const { bytes } = signMember(statement, keyOf('b'))
  const forged = Uint8Array.from(bytes)
  forged[forged.byteLength - 1]! ^= 1
  expect(() => members.hear(Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'MEMBER_INVALID' }))
  expect(() => members.hear(forged)).toThrow(expect.objectContaining({ code: 'SIGNATURE_INVALID' }))
  members.hear(bytes)
  members.hear(bytes)
  expect(members.members()).toHaveLength(1)
})
