/** Room for an update: what it shares with the version before it, which must not go for it. */
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, it } from 'vitest'
import { CatalogError, MIB } from '../../../base/index.ts'
import { hashBlock, rawCid } from '../../../library/content/blocks.ts'
import { withRoom } from '../../../node/services/fetch-room.ts'
import type { Wanted } from '../../../node/services/rooms.ts'
import { demoRecord } from './demo-record.ts'
import { context } from './fetching-world.ts'

const base = demoRecord()
const MB = 1_000_000
const record = { ...base, release: { ...base.release, sizeBytes: 100 * MB } }
const older: CID = rawCid(hashBlock(Buffer.from('older')))
const full = new CatalogError('QUOTA_EXCEEDED', 'no more room')

let state: 'none' | 'partial'
let olderBytes: number | undefined
/** Sizes for which room was asked, and whether the older version was held then. */
let asked: Array<[sizeMb: number, isOlderHeld: boolean]>
let isHeld: boolean
let rooms: number

beforeEach(() => {
  state = 'none'
  olderBytes = 90 * MB
  asked = []
  isHeld = false
  rooms = 0
})

const room = () => {
  rooms++
  return { filled: () => {}, end: () => void rooms-- }
}

const run = (fetch: (filled: (bytes: number) => void) => Promise<string>): Promise<string> =>
  withRoom(
    {
      registry: {
        async *entries() {
          const { name, version, owner } = record.release
          yield {
            name,
            version,
            owner,
            sequence: 1,
            content: older,
            recHash: new Uint8Array(),
            isClosed: false
          }
          yield {
            name,
            version,
            owner: new Uint8Array(32),
            sequence: 9,
            content: older,
            recHash: owner,
            isClosed: false
          }
        }
      },
      content: {
        localState: () => state,
        summary: () => (olderBytes === undefined ? undefined : { sizeBytes: olderBytes, files: 1 }),
        hold: () => {
          isHeld = true
          return () => {
            isHeld = false
          }
        }
      },
      collecting: {
        makeRoom: async ({ sizeBytes }: Wanted) => {
          asked.push([sizeBytes / MB, isHeld])
          return room()
        },
        expect: room
      }
    },
    record,
    context(),
    fetch
  )

describe('room for a fetch', () => {
  it('is made for a part of an update, and the version before it is kept meanwhile', async () => {
    expect(await run(async () => `held: ${isHeld}`)).toBe('held: true')
    expect(asked).toEqual([[25, true]])
    expect([isHeld, rooms]).toEqual([false, 0])
    olderBytes = 60 * MB
    await run(async () => '')
    expect(asked[1]).toEqual([40, true])
  })

  it('is made for the rest when that was not enough, for which the older version may go', async () => {
    let attempts = 0
    const result = await run(async filled => {
      filled(70 * MB)
      if (++attempts === 1) throw full
      return 'whole'
    })
    expect(result).toBe('whole')
    expect(asked).toEqual([
      [25, true],
      [30 + (32 * MIB) / MB, false]
    ])
    expect(rooms).toBe(0)
  })

  it('is made for everything where no older version is here, and only when it must be where a part of it is', async () => {
    olderBytes = undefined
    await expect(run(() => Promise.reject(full))).rejects.toBe(full)
    expect(asked).toEqual([[100, false]])
    state = 'partial'
    await run(async () => '')
    expect(asked).toHaveLength(1)
    let attempts = 0
    await run(async filled => {
      filled(80 * MB)
      if (++attempts === 1) throw full
      return 'whole'
    })
    expect(asked[1]).toEqual([20 + (32 * MIB) / MB, false])
    expect(rooms).toBe(0)
  })
})
