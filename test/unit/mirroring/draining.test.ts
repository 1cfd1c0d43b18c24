/** A node that leaves, and is told to stay while it does, or was switched off in between. */
import { beforeEach, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import type { Plan } from '../../../mirror/index.ts'
import { EventHub } from '../../../node/events.ts'
import { Draining } from '../../../node/services/mirroring/draining.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'

const { signal } = new AbortController()
const clock = new ManualClock()
const SAFE: Plan = { actions: [], heldBack: [], nextMs: undefined, isSafeToLeave: true, usedBytes: 0 }

let database: TestDatabase
let isMember: boolean
/** What happens while peers are told that the node leaves. */
let whileLeaving: () => Promise<void>

const open = (): Draining =>
  Draining.open({
    database,
    clock,
    logger: silentLogger,
    events: new EventHub({ clock }),
    members: {
      leave: async () => {
        isMember = false
        await whileLeaving()
      },
      rejoin: async () => {
        isMember = true
      }
    }
  })

beforeEach(async () => {
  database = await openMemory()
  isMember = true
  whileLeaving = async () => undefined
})

test('it is safe to leave when nothing is left and nothing is under way, also after a restart', async () => {
  const draining = open()
  await draining.begin()
  await draining.planned(SAFE, { isIdle: false }, signal)
  expect(draining.isSafeToLeave).toBe(false)
  await draining.planned(SAFE, { isIdle: true }, signal)
  for (const one of [draining, open()])
    expect([one.isDraining, one.isSafeToLeave, isMember]).toEqual([true, true, false])
})

test('who is told to stay while peers hear that it leaves is a member, and leaves no more', async () => {
  const draining = open()
  await draining.begin()
  whileLeaving = () => draining.cancel()
  await draining.planned(SAFE, { isIdle: true }, signal)
  for (const one of [draining, open()]) expect([one.isDraining, isMember]).toEqual([false, true])
})

test('who was stopped while peers heard that it leaves can still be told to stay', async () => {
  const draining = open()
  await draining.begin()
  whileLeaving = () => Promise.reject(new Error('stopped'))
  await expect(draining.planned(SAFE, { isIdle: true }, signal)).rejects.toThrow('stopped')
  await open().cancel()
  expect(isMember).toBe(true)
})
