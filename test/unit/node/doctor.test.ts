import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { CatalogError, DAY_MS, systemClock } from '../../../base/index.ts'
import { initHome } from '../../../node/init.ts'
import { alertsCheck, bootstrapCheck, isOnlyLocal, partitionCheck } from '../../../node/services/doctor.ts'
import { libraryCheck, ownLibrariesCheck } from '../../../node/services/library-checks.ts'
import { clockCheck, diskCheck, integrityCheck, nodeCheck } from '../../../node/services/machine-checks.ts'
import {
  backupCheck,
  blocksCheck,
  keysCheck,
  limitsCheck,
  openFilesLimit
} from '../../../node/services/state-checks.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { WHOLE } from './whole.ts'

it.each([
  [['/ip4/127.0.0.1/udp/1/quic-v1', '/ip6/::1/udp/1/quic-v1'], true],
  [['/ip4/127.0.0.1/udp/1/quic-v1', '/ip4/192.168.1.2/udp/1/quic-v1'], false],
  [['/dns4/example.org/udp/1/quic-v1'], false],
  [['/ip6/::10/udp/1/quic-v1'], false]
])('tells whether %j can be reached only from this machine', (addresses, expected) => {
  expect(isOnlyLocal(addresses)).toBe(expected)
})

it('tells a disk that will soon be too small from one that takes nothing more', () => {
  const at = (freeBytes: number) => diskCheck({ freeBytes, totalBytes: 1e12 }).level
  expect([at(2 ** 30), at(2 ** 30 - 1), at(2 ** 24), at(2 ** 24 - 1)]).toEqual([
    'ok',
    'warn',
    'warn',
    'error'
  ])
})

it('tells damage, damage that is looked into, and what was hashed when', () => {
  const whole = { complete: 3, damaged: 0, isUnchecked: false }
  expect(integrityCheck(whole)).toEqual({
    level: 'ok',
    message: '3 contents whole; never hashed as a whole yet'
  })
  expect(integrityCheck({ ...whole, complete: 1 }).message).toContain('1 content whole')
  const scrub = { endedAt: '2026-05-01T00:00:00.000Z', corrupt: 1 }
  expect(integrityCheck(whole, scrub).message).toContain(
    'hashed as a whole until 2026-05-01T00:00:00.000Z, 1 damaged block found'
  )
  expect(integrityCheck({ ...whole, isUnchecked: true }).level).toBe('warn')
  expect(integrityCheck({ ...whole, damaged: 2 })).toMatchObject({
    level: 'error',
    message: expect.stringContaining('2 of 5 contents'),
    hint: expect.stringContaining('catalog verify --all --repair')
  })
})

it('knows a clock that is years late and a Node that is too old', () => {
  expect(clockCheck({ now: () => Date.UTC(2025, 11, 31) }).level).toBe('error')
  expect(clockCheck({ now: () => Date.UTC(2026, 1, 1) }).level).toBe('ok')
  expect(['20.19.0', '24.14.1', '24.15.0', '26.0.0'].map(version => nodeCheck(version).level)).toEqual([
    'warn',
    'warn',
    'ok',
    'ok'
  ])
})

it('tells the root that others know, a head that has expired, and who signed two states of one library', async () => {
  const { signal } = new AbortController()
  const head = { revision: 4, epoch: 7, expires: Date.UTC(2026, 4, 8) }
  const state = { root: Buffer.alloc(32, 0xab), records: 2, head, isExpired: false, isRenewalDue: false }
  const check = (
    over: object,
    contradictions: object[] = [],
    copies: object[] = [],
    unreadable: Uint8Array[] = []
  ) =>
    libraryCheck(
      {
        state: async () => ({ ...state, ...over }),
        evidence: async () => contradictions,
        followed: async (onUnreadable: (library: Uint8Array) => void) => {
          unreadable.forEach(onUnreadable)
          return copies
        }
      } as never,
      signal
    )
  const root = `root ${'ab'.repeat(32)}`
  const { publicKey } = SigningKey.generate()
  const copy = { row: { writer: publicKey, name: 'tools' }, isExpired: true }
  expect(await check({}, [], [{ ...copy, isExpired: false }])).toMatchObject({ level: 'ok' })
  expect(await check({}, [], [copy])).toMatchObject({
    level: 'warn',
    message: expect.stringContaining(`heads have expired: ${peerOf(publicKey)}/tools`)
  })
  expect(await check({}, [], [copy], [Buffer.alloc(32, 0xcd)])).toMatchObject({
    level: 'warn',
    message: expect.stringContaining(`cannot be read: ${'cd'.repeat(32)}`)
  })
  expect(await check({})).toEqual({
    level: 'ok',
    message: `2 records, ${root}; head 4 of epoch 7 holds until 2026-05-08T00:00:00.000Z`
  })
  expect(await check({ records: 0, head: undefined })).toEqual({
    level: 'ok',
    message: `0 records, ${root}; nothing was signed yet`
  })
  expect((await check({ isExpired: true })).level).toBe('warn')
  const twice = { incoming: { writer: publicKey } }
  expect(await check({}, [twice, twice])).toMatchObject({
    level: 'warn',
    message: expect.stringContaining(`1 node signed two states of one library: ${formatPublicKey(publicKey)}`)
  })
})

it('names each library of this node that others cannot rely on, and each whose access list lets nobody in', async () => {
  const nowMs = Date.UTC(2026, 4, 8)
  const library = (name: string, access: string, libraryId = name) => ({ name, access, libraryId })
  const own = [library('home', 'public'), library('private', 'private')]
  const check = (
    libraries: object[],
    over: { states?: Record<string, () => object>; lists?: Record<string, number>; earlier?: string[] } = {}
  ) =>
    ownLibrariesCheck(
      {
        sets: {
          state: async (id: string) => over.states?.[id]?.() ?? { isExpired: false },
          access: {
            own: async () => [...own, ...libraries],
            isEarlier: async (id: string) => over.earlier?.includes(id) === true,
            accessOf: async (id: string) => {
              const expires = over.lists?.[id]
              return expires === undefined ? undefined : { expires }
            }
          }
        } as never,
        clock: { now: () => nowMs }
      },
      new AbortController().signal
    )
  const [open, team, club] = [
    library('open', 'public'),
    library('team', 'restricted'),
    library('club', 'friends')
  ]
  const lists = { team: nowMs + 1, club: nowMs + 1 }
  expect(await check([])).toEqual({ level: 'ok', message: 'beside home: private' })
  expect(await check([open, team, club], { lists })).toMatchObject({ level: 'ok' })
  expect(await check([team, club], { lists: { ...lists, team: nowMs } })).toMatchObject({
    level: 'warn',
    message: 'the access list has run out: no other node is let in: team'
  })
  expect(await check([team, club], { lists, earlier: ['club'] })).toMatchObject({
    level: 'warn',
    message: 'the access list is from before this home was restored or copied: no other node is let in: club',
    hint: expect.stringContaining('sign it anew')
  })
  expect(await check([open, team], { lists, states: { open: () => ({ isExpired: true }) } })).toMatchObject({
    level: 'warn',
    message: 'the head has expired: open'
  })
  const damaged = () => {
    throw new CatalogError('TREE_DAMAGED', 'a node is missing')
  }
  expect(await check([open, team, club], { states: { open: damaged } })).toMatchObject({
    level: 'error',
    message: 'the tree is damaged: open; the access list cannot be read: no other node is let in: team, club',
    hint: expect.stringContaining('catalog verify --all --repair')
  })
})

it('tells a partition, and what became of the last one', () => {
  expect(partitionCheck(WHOLE)).toMatchObject({
    level: 'ok',
    message: 'the network is whole as seen from here'
  })
  const parted = {
    ...WHOLE,
    state: 'partitioned' as const,
    reasons: ['3 of 4 peers fell silent', 'so it is']
  }
  expect(partitionCheck(parted)).toMatchObject({
    level: 'warn',
    message: 'the network is partitioned: 3 of 4 peers fell silent; so it is'
  })
  const last = {
    ...{
      kind: 'partitioned' as const,
      since: WHOLE.since,
      noticedAfterMs: 1,
      lastedMs: 12_000,
      healedInMs: 1
    },
    ...{ lostPeers: 3, returnedPeers: 3, syncedLibraries: 0, replayedOperations: 0 }
  }
  expect(partitionCheck({ ...WHOLE, last }).message).toMatch(/it was partitioned for 12 s from 2026/)
})

it('names the bootstrap peers that are not reached, and is content with one that is', () => {
  const [one, two] = ['/ip4/10.0.0.1/udp/4747/quic-v1/p2p/one', '/ip4/10.0.0.2/udp/4747/quic-v1/p2p/two']
  expect(bootstrapCheck([], ['x']).level).toBe('ok')
  expect(bootstrapCheck([one, two], ['two', 'one'])).toEqual({
    level: 'ok',
    message: 'connected to 2 of 2 bootstrap peers'
  })
  expect(bootstrapCheck([one, two], ['two'])).toMatchObject({
    level: 'ok',
    message: expect.stringContaining(`not to ${one}`)
  })
  expect(bootstrapCheck([one], ['x'])).toMatchObject({ level: 'warn', message: expect.stringContaining(one) })
})

it('repeats what alerts say, as bad as the worst of them', () => {
  const alert = (level: 'error' | 'warn', message: string) => ({
    kind: 'disk' as never,
    level,
    message,
    hint: 'free space',
    since: '2026-01-01T00:00:00.000Z'
  })
  expect(alertsCheck([]).level).toBe('ok')
  expect(alertsCheck([alert('warn', 'a')]).level).toBe('warn')
  expect(alertsCheck([alert('warn', 'a'), alert('error', 'b')])).toEqual({
    level: 'error',
    message: 'a (since 2026-01-01T00:00:00.000Z); b (since 2026-01-01T00:00:00.000Z)',
    hint: 'free space'
  })
  const ofPeer = { ...alert('warn', 'it broke the protocols'), about: '12D3KooWx' }
  expect(alertsCheck([ofPeer]).message).toBe(
    '12D3KooWx: it broke the protocols (since 2026-01-01T00:00:00.000Z)'
  )
})

it('warns of a home that was never backed up, or long ago', () => {
  const nowMs = Date.UTC(2026, 4, 31)
  const last = (days: number) => ({
    createdAt: new Date(nowMs - days * DAY_MS).toISOString(),
    sizeBytes: 1e6
  })
  expect(backupCheck(undefined, false, nowMs).level).toBe('ok')
  expect(backupCheck(undefined, true, nowMs).level).toBe('warn')
  expect(backupCheck(last(29), true, nowMs).level).toBe('ok')
  expect(backupCheck(last(31), true, nowMs).level).toBe('warn')
  expect(backupCheck(last(-1), true, nowMs).message, 'made by a clock that was ahead').toContain('0 ms old')
})

it('knows damaged blocks, and too few files', async () => {
  expect(blocksCheck({ blocks: 64, bad: 0 }, false)).toEqual({
    level: 'ok',
    message: '64 blocks of the store hashed as a sample: as the index says'
  })
  expect(blocksCheck({ blocks: 5, bad: 1 }, true)).toMatchObject({
    level: 'error',
    hint: expect.stringContaining('verify --all --repair')
  })
  expect([1024, 2048, Number.POSITIVE_INFINITY, undefined].map(files => limitsCheck(files).level)).toEqual([
    'warn',
    'ok',
    'ok',
    'ok'
  ])
  expect(await openFilesLimit()).toBeGreaterThan(0)
})

it('opens each key', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-keys-'))
  try {
    const { home, nodePublicKey } = await initHome({ clock: systemClock }, { root: join(folder, 'home') })
    const check = () => keysCheck({ clock: systemClock }, home)
    expect(await check()).toEqual({
      level: 'ok',
      message: `the node is ${peerOf(nodePublicKey)}; 1 publisher key, 1 without a passphrase; the default is default`
    })
    await rm(join(home.keyring, 'DEFAULT'))
    expect((await check()).level).toBe('warn')
    await writeFile(join(home.keyring, 'default.key'), 'no key', { mode: 0o600 })
    await expect(check()).rejects.toMatchObject({ code: 'KEY_INVALID' })
    await rm(home.keyring, { recursive: true })
    expect(await check()).toMatchObject({ level: 'error', message: expect.stringContaining('is missing') })
    await rm(home.nodeKey)
    await expect(check()).rejects.toMatchObject({ code: 'KEY_NOT_FOUND' })
  } finally {
    await rm(folder, { recursive: true })
  }
})
