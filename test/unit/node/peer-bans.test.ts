import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { KeyFamily, makeKey } from '../../../library/index.ts'
import { MAX_BANNED, PeerBans } from '../../../node/services/peer-bans.ts'
import { PeerHealth } from '../../../node/services/peer-health.ts'
import { openMemory, type TestDatabase } from '../registry/databases.ts'

const A = '12D3KooWGzxzKZYveHXtpG6AsrUJBcWxHBFS2HsEoGTxrMLvKXtf'
/** The same, as the CID that peer ids may be written as too. */
const A_AS_CID = 'bafzaajaiaejca2vy7twtax6tqomfasd73ockcctkcuqlqvcrpbwc4xciumbyr4tm'

let database: TestDatabase
beforeEach(async () => {
  database = await openMemory()
})
afterEach(() => database.close())

const open = (): Promise<PeerBans> => PeerBans.open({ database, clock: systemClock, logger: silentLogger })
const row = (peerId: string, value: string): Promise<void> =>
  database.write(
    [{ type: 'put', key: makeKey(KeyFamily.PeerBan, Buffer.from(peerId)), value: Buffer.from(value) }],
    { sync: true }
  )

describe('bans', () => {
  it('hold at once and after a restart, until they are lifted', async () => {
    const bans = await open()
    const ban = await bans.add(A, 'scans the network')
    expect(bans.isBanned(A)).toBe(true)
    const later = await open()
    expect(later.list()).toEqual([ban])
    expect(await later.remove(A)).toEqual(ban)
    expect(later.isBanned(A)).toBe(false)
    expect((await open()).list()).toEqual([])
  })

  it('say what is wrong: no peer id, twice, not there', async () => {
    const bans = await open()
    await expect(bans.add('nobody', undefined)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: "'nobody' is not a peer id",
      hint: expect.stringContaining('peers list')
    })
    await expect(bans.remove(A)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await bans.add(A, undefined)
    await expect(bans.add(A, 'again')).rejects.toMatchObject({ code: 'PEER_BANNED' })
  })

  it('mean the peer however its id is written', async () => {
    const bans = await open()
    expect((await bans.add(A_AS_CID, undefined)).peerId).toBe(A)
    expect(bans.isBanned(A)).toBe(true)
  })

  it('outlive damage to their rows, but for the reason', async () => {
    for (const [i, value] of ['', '{', 'null', '{"bannedAt":"x"}'].entries()) await row(`peer ${i}`, value)
    await row(A, JSON.stringify({ bannedAt: 1, reason: 'x'.repeat(1000) }))
    const bans = await open()
    expect(bans.list()).toHaveLength(5)
    expect(bans.of(A)).toEqual({ peerId: A, bannedAt: 1 })
    expect(bans.of('peer 2')).toEqual({ peerId: 'peer 2', bannedAt: 0 })
  })

  it('are bounded in number', async () => {
    const rows = Array.from({ length: MAX_BANNED }, (_, i) => ({
      type: 'put' as const,
      key: makeKey(KeyFamily.PeerBan, Buffer.from(`peer ${i}`)),
      value: Buffer.from('{"bannedAt":1}')
    }))
    await database.write(rows, { sync: true })
    const bans = await open()
    await expect(bans.add(A, undefined)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  it('keep a peer from being asked', async () => {
    const bans = await open()
    const health = new PeerHealth({ clock: systemClock, isBanned: peerId => bans.isBanned(peerId) })
    expect(await health.ask(A, async () => 'answer')).toBe('answer')
    await bans.add(A, undefined)
    await expect(health.ask(A, async () => 'answer')).rejects.toMatchObject({
      code: 'PEER_BANNED',
      hint: expect.stringContaining('unban')
    })
  })
})
