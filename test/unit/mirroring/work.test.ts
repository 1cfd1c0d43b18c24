/** Offers that are not kept or not answered, and a disk that fails while a copy does. */
import { beforeEach, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import type { Action, Plan } from '../../../mirror/index.ts'
import { MirrorWork, type WorkModules } from '../../../node/services/mirroring/work.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const MINUTE = 60_000
const { signal } = new AbortController()
const ada = peerOf(keyOf('ada').publicKey)
const ben = peerOf(keyOf('ben').publicKey)
const record = createReleaseRecord(small({ name: 'lib', content: contentOf('lib') }), keyOf('publisher'))

let nowMs: number
let offered: string[]
/** How each offer is answered. */
let answer: () => 'accepted' | 'refused'

const about = (content = record.release.content) => ({
  ...{ name: 'lib', version: '1.0.0', owner: 'z', content, reason: '' }
})
const offer = (content = record.release.content): Action => ({
  ...about(content),
  kind: 'offer',
  bytes: 1,
  peers: [ada, ben]
})
const planOf = (...actions: Action[]): Plan => ({
  ...{ actions, heldBack: [], nextMs: undefined, isSafeToLeave: false, usedBytes: 0 }
})

function workOf(over: Partial<Record<keyof WorkModules, object>> = {}): MirrorWork {
  const modules = {
    clock: { now: () => nowMs, monotonicMs: () => nowMs, wait: async () => undefined },
    registry: { get: (): ReleaseRecord => record },
    releases: { of: () => ({ record: record.id }), holds: () => false, setComing: () => undefined },
    offers: {
      offer: async (peer: { toString(): string }) => {
        offered.push(peer.toString())
        return answer()
      }
    },
    content: { localState: () => 'none' },
    holders: { prove: () => undefined, tell: async () => undefined },
    fetching: { urgent: 0, fetch: async () => undefined },
    logger: silentLogger,
    random: () => 0.5,
    changed: () => undefined,
    totals: { taken: 0, takenBytes: 0, failed: 0, dropped: 0, droppedBytes: 0 },
    ...over
  }
  return new MirrorWork(modules as unknown as WorkModules)
}

beforeEach(() => {
  nowMs = 1_000_000
  offered = []
  answer = () => 'accepted'
})

test('what was accepted and did not come is offered to another one', async () => {
  const work = workOf()
  await work.carryOut(planOf(offer()), signal)
  expect(offered).toEqual([ada])
  nowMs += MINUTE
  await work.carryOut(planOf(offer()), signal)
  expect(offered).toEqual([ada])
  nowMs += 2 * MINUTE
  await work.carryOut(planOf(offer()), signal)
  nowMs += 3 * MINUTE
  await work.carryOut(planOf(offer()), signal)
  expect(offered).toEqual([ada, ben, ada])
})

test('what nobody would take is not offered again with each plan', async () => {
  answer = () => 'refused'
  const work = workOf()
  for (let plan = 0; plan < 5; plan++) await work.carryOut(planOf(offer()), signal)
  expect(offered).toEqual([ada, ben])
})

test('members that take their time keep nobody from planning anew', async () => {
  answer = () => {
    nowMs += 6000
    throw new CatalogError('TIMEOUT', 'it did not answer')
  }
  const work = workOf()
  const offers = Array.from({ length: 100 }, (_, at) => offer(contentOf(`content ${at}`)))
  const againMs = await work.carryOut(planOf(...offers), signal)
  expect(offered).toEqual([ada, ben])
  expect(againMs).toBeLessThan(nowMs + MINUTE)
})

test('a copy that cannot be had on a disk that cannot be written is tried again, and ends nothing', async () => {
  const full = (): Promise<never> => Promise.reject(new CatalogError('DISK_FULL', 'no room'))
  const copies = { take: full, letGo: full, of: () => ({ isPinned: false }) }
  const work = workOf({ copies })
  await work.carryOut(planOf({ ...about(), kind: 'take', cause: 'rank', bytes: 1 }), signal)
  await work.settled()
  expect(work.failureOf(record.release.content.toString())?.code).toBe('DISK_FULL')
})
