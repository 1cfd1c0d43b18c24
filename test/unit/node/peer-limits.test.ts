import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { KeyFamily, makeKey } from '../../../library/index.ts'
import { MAX_LIMITED_PEERS, PeerLimits } from '../../../node/services/peer-limits.ts'
import type { LiveLimit } from '../../../protocols/index.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'

const A = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'
/** The same, as the CID that peer ids may be written as too. */
const A_AS_CID = 'bafzaajaiaejca2vy7twtax6tqomfasd73ockcctkcuqlqvcrpbwc4xciumbyr4tm'
const MIB = 1024 * 1024

let database: TestDatabase
let inForce: Map<string, LiveLimit>
beforeEach(async () => {
  database = await openMemory()
})
afterEach(() => database.close())

/** As a start of the daemon. */
async function open(): Promise<PeerLimits> {
  inForce = new Map()
  const throttle = {
    limitPeer: (peerId: string, limit: LiveLimit | undefined) => {
      if (limit === undefined) inForce.delete(peerId)
      else inForce.set(peerId, limit)
    }
  }
  return await PeerLimits.open({ database, throttle, logger: silentLogger })
}

const row = (peerId: string, value: string): Promise<void> =>
  database.write(
    [{ type: 'put', key: makeKey(KeyFamily.PeerLimit, Buffer.from(peerId)), value: Buffer.from(value) }],
    {
      sync: true
    }
  )

describe('limits of single peers', () => {
  it('hold at once and after a restart, until they are cleared', async () => {
    const limits = await open()
    await limits.set(A, { up: MIB, burst: 2 * MIB })
    expect(inForce.get(A)).toEqual({ up: MIB, burst: 2 * MIB })
    const later = await open()
    expect(inForce.get(A)).toEqual({ up: MIB, burst: 2 * MIB })
    expect(later.peers()).toEqual([A])
    await later.clear(A)
    expect(inForce.size).toBe(0)
    expect((await open()).peers()).toEqual([])
  })

  it('mean the peer however its id is written', async () => {
    const limits = await open()
    await limits.set(A_AS_CID, { up: MIB })
    expect([...inForce.keys()]).toEqual([A])
    expect(limits.peers()).toEqual([A])
    await limits.clear(A_AS_CID)
    expect(inForce.size).toBe(0)
    expect((await open()).peers()).toEqual([])
  })

  it('are not taken from damaged rows', async () => {
    for (const [i, value] of [
      '',
      '{',
      'null',
      '{"up":-1}',
      '{"up":1}',
      '{"burst":0}',
      '{"down":"5"}'
    ].entries())
      await row(`damaged-${i}`, value)
    await row('huge', `{"up":0,"x":"${'x'.repeat(2000)}"}`)
    await row(A, '{"up":0}')
    expect((await open()).peers()).toEqual([A])
    expect([...inForce]).toEqual([[A, { up: 0 }]])
  })

  it('are bounded in number, and can be changed and cleared then', async () => {
    for (let i = 0; i < MAX_LIMITED_PEERS; i++) await row(`peer-${i}`, '{"up":0}')
    const limits = await open()
    await expect(limits.set(A, { up: MIB })).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(inForce.has(A)).toBe(false)
    await database.write([{ type: 'del', key: makeKey(KeyFamily.PeerLimit, Buffer.from('peer-0')) }], {
      sync: true
    })
    const later = await open()
    await later.set(A, { up: MIB })
    await later.set(A, { up: 2 * MIB })
    expect(inForce.get(A)).toEqual({ up: 2 * MIB })
  })

  it('are refused for what is no peer id', async () => {
    const limits = await open()
    await expect(limits.set('nobody', { up: MIB })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    await expect(limits.clear('nobody')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  })
})
