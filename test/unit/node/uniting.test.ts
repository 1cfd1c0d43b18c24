import { beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord, type Release } from '../../../library/index.ts'
import { Uniting } from '../../../node/services/uniting.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { keyOf, small } from '../records/examples.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const PAGE = 256
const library = new Uint8Array(32)
const releaseOf = (name: string): Release => createReleaseRecord(small({ name }), keyOf('ada')).release

let records: number
let commits: number[]
let asked: boolean[]
let due: string[]
let announced: string[]
let network: () => void
let meant: (release: Release) => boolean

beforeEach(() => {
  records = 0
  commits = []
  asked = []
  due = ['tool']
  announced = []
  network = () => undefined
  meant = () => true
})

const uniting = new Uniting({
  blocking: nothingBlocked,
  sets: {
    joining: async (_, { isMeant, after }) => {
      meant = isMeant ?? meant
      const from = after === undefined ? 0 : Buffer.from(after).readUInt32BE()
      const to = Math.min(from + PAGE, records)
      const next = Buffer.alloc(4)
      next.writeUInt32BE(to)
      const recHashes = Array.from({ length: to - from }, () => new Uint8Array(32))
      return to < records ? { recHashes, next } : { recHashes }
    },
    join: async ({ recHashes, isDryRun }) => {
      commits.push(recHashes.length)
      asked.push(isDryRun)
      // One of them was there.
      return recHashes.length - 1
    }
  },
  network: {
    announce: async ({ names }) => {
      network()
      announced.push(...names)
      return 1
    }
  },
  schedule: {
    due: async () => due,
    idsOf: async () => [],
    announced: async () => {
      due = []
    }
  } as never,
  clock: new ManualClock(),
  logger: silentLogger
})

const unite = (wish: object = {}, signal = new AbortController().signal): Promise<number> =>
  uniting.unite({ library, ...wish }, { signal, progress: () => undefined })

describe('a union', () => {
  test('is made in commits of so many records that others can write between, and announced', async () => {
    records = 5000
    expect(await unite()).toBe(4997)
    expect(commits).toEqual([2000, 2000, 1000])
    expect(announced).toEqual(['tool'])
  })

  test('without anything to join writes and announces nothing', async () => {
    expect(await unite()).toBe(0)
    expect([commits, announced]).toEqual([[], []])
  })

  test('is only counted in a dry run', async () => {
    records = 10
    expect(await unite({ isDryRun: true })).toBe(9)
    expect([asked, announced]).toEqual([[true], []])
  })

  test('is of what a filter means', async () => {
    records = 1
    await unite({ filter: { prefix: 'to' } })
    expect(['tool', 'other'].map(name => meant(releaseOf(name)))).toEqual([true, false])
  })

  test('counts also where it could not be announced, which is left to the schedule', async () => {
    records = 10
    network = () => {
      throw new CatalogError('TIMEOUT', 'nobody answers')
    }
    expect(await unite()).toBe(9)
    expect(due).toEqual(['tool'])
  })

  test('ends when nobody waits for it any more', async () => {
    records = 5000
    await expect(unite({}, AbortSignal.abort(new Error('enough')))).rejects.toThrow('enough')
    expect(commits).toEqual([])
  })
})
