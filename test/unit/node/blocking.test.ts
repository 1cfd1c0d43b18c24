/** What an operator keeps away: which releases fall under what was said, that it holds after a restart, and what goes with it. */
import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import {
  type HeldContent,
  type IndexEntry,
  KeyFamily,
  makeKey,
  parseSpec,
  type ReleaseRecord
} from '../../../library/index.ts'
import { followedLibrary } from '../../../library/registry/library-names.ts'
import { BlockDropping, type DroppingModules } from '../../../node/services/block-dropping.ts'
import { BlockRules, subjectOf } from '../../../node/services/block-rules.ts'
import { Blocking, MAX_BLOCKED } from '../../../node/services/blocking.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { demoRecord } from './demo-record.ts'

const [ALICE, MALLORY] = [SigningKey.generate(), SigningKey.generate()]
const DEMO = demoRecord(MALLORY)
const { signal } = new AbortController()

describe('what is blocked', () => {
  const rule = (...subjects: string[]): string | undefined =>
    new BlockRules(subjects.map(subjectOf)).ruleOf(DEMO.release, DEMO.id)

  test.each([
    ['the key of its owner', formatPublicKey(MALLORY.publicKey), true],
    ['another key', formatPublicKey(ALICE.publicKey), false],
    ['its name', 'demo', true],
    ['another name', 'demo-2', false],
    ['its version', 'demo@1.0.0', true],
    ['a range around it', 'demo@^1.0.0', true],
    ['a range beside it', 'demo@>1.0.0', false],
    ['its content', DEMO.release.content.toString(), true],
    ['its record', DEMO.id.toString(), true],
    ['its record as hexadecimal digits', Buffer.from(DEMO.id.multihash.digest).toString('hex'), true]
  ])('by %s', (_, subject, isBlocked) => {
    expect(rule(subject) !== undefined).toBe(isBlocked)
    expect(rule('other', subject, 'demo@9') !== undefined, 'among others').toBe(isBlocked)
  })

  test('may be a prerelease, which a range leaves out where it is a wish', () => {
    const rules = new BlockRules(['demo@^1.0.0'])
    expect(rules.ruleOf({ ...DEMO.release, version: '1.1.0-rc.1' })).toBe('demo@^1.0.0')
  })

  test.each([
    ['demo', 'demo', 'demo'],
    ['demo', 'demo@^1', 'demo'],
    ['demo@^1', 'demo@1.2.0', 'demo@^1'],
    ['demo@^1', 'demo@^1', 'demo@^1'],
    ['demo@^1', 'demo', undefined],
    ['demo@^1', 'demo@2.0.0', undefined],
    ['demo-2', 'demo', undefined],
    [DEMO.id.toString(), DEMO.id.toString(), DEMO.id.toString()],
    [DEMO.id.toString(), 'demo', undefined]
  ])('as %s leaves nothing, or something, of what %s may mean', (subject, asked, found) => {
    const rules = new BlockRules([subjectOf(subject)])
    expect(rules.ruleOfAll(parseSpec(asked))).toBe(found)
  })

  test('as an owner leaves nothing of what is asked of that owner', () => {
    const key = formatPublicKey(MALLORY.publicKey)
    const rules = new BlockRules([key])
    expect(rules.ruleOfAll(parseSpec('demo'), MALLORY.publicKey)).toBe(key)
    expect(rules.ruleOfAll(parseSpec('demo'), ALICE.publicKey)).toBeUndefined()
    expect(rules.ruleOfAll(parseSpec('demo'))).toBeUndefined()
  })

  test('has one way in which it is written', () => {
    fc.assert(
      fc.property(fc.constantFrom('demo', 'demo@latest', 'demo@ ^1 ', DEMO.id.toString()), text => {
        expect(subjectOf(subjectOf(text))).toBe(subjectOf(text))
      })
    )
    expect(subjectOf('demo@latest')).toBe('demo')
  })

  test.each(['', 'demo@nothing', 'z6MkNoKey', '../x', 'x'.repeat(600)])('is not %j', text => {
    expect(() => subjectOf(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }))
  })
})

describe('blocks', () => {
  let database: MemoryDatabase
  const open = (): Promise<Blocking> => Blocking.open({ database, clock: systemClock, logger: silentLogger })
  beforeEach(() => {
    database = new MemoryDatabase()
  })

  test('hold at once and after a restart, with their reasons, until they are taken back', async () => {
    const blocking = await open()
    expect(() => blocking.expectAllowed(DEMO)).not.toThrow()
    await blocking.add('demo@1.x', 'malware', signal)
    await blocking.add('demo@1.x', 'malware, see the advisory', signal)
    await blocking.add('demo@1.x', undefined, signal)
    const again = await open()
    expect(again.list()).toMatchObject([{ subject: 'demo@1.x', reason: 'malware, see the advisory' }])
    for (const one of [blocking, again])
      expect(() => one.expectAllowed(DEMO)).toThrow(
        expect.objectContaining({ code: 'RELEASE_BLOCKED', message: expect.stringContaining('advisory') })
      )
    await again.remove('demo@1.x', signal)
    await expect(again.remove('demo@1.x', signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect((await open()).isBlocked(DEMO)).toBe(false)
  })

  test('hold when their row is damaged: only the reason is lost', async () => {
    await (await open()).add('demo', 'malware', signal)
    const key = makeKey(KeyFamily.Blocked, Buffer.from('demo'))
    await database.write([{ type: 'put', key, value: Buffer.from('{') }])
    const blocking = await open()
    expect(blocking.isBlocked(DEMO)).toBe(true)
    expect(blocking.list()).toEqual([{ subject: 'demo', blockedAt: 0 }])
  })

  test('are bounded', async () => {
    const value = Buffer.from('{"blockedAt":1}')
    const keys = Array.from({ length: MAX_BLOCKED }, (_, number) =>
      makeKey(KeyFamily.Blocked, Buffer.from(`name-${number}`))
    )
    await database.write(keys.map(key => ({ type: 'put', key, value })))
    const blocking = await open()
    await expect(blocking.add('demo', undefined, signal)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await blocking.add('name-1', 'changed', signal)
  })
})

describe('with what is blocked goes', () => {
  const OTHER = CID.parse('bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi')
  const COPY = followedLibrary(new Uint8Array(32), 1, false)
  const ours = demoRecord(ALICE)
  const followed = new Set<ReleaseRecord>()
  let gone: string[]
  let names: ReleaseRecord[]
  let isHeld: boolean
  beforeEach(() => {
    gone = []
    names = [DEMO]
    isHeld = false
    followed.clear()
  })

  const held = (content: CID): HeldContent => ({
    content,
    summary: { sizeBytes: 10, files: 1 } as HeldContent['summary'],
    usedMs: 1,
    pins: [{ name: 'demo', version: '1.0.0', owner: MALLORY.publicKey }]
  })
  const dropping = (subject: string): BlockDropping => {
    const modules = {
      blocking: { rules: new BlockRules([subject]) },
      registry: {
        async *naming() {
          for (const { release } of names) yield release as unknown as IndexEntry
        },
        read: () => undefined,
        list: async () => ({ releases: names }),
        librariesOf: async (bytes: Uint8Array) =>
          [...followed].some(record => record.bytes === bytes) ? ['home', COPY] : ['home'],
        remove: async (id: CID) => void gone.push(`record ${id}`)
      },
      content: {
        list: async () => ({ contents: [held(OTHER), held(DEMO.release.content)], hasMore: false }),
        unpin: async () => void gone.push('pin'),
        remove: async (cid: CID) => {
          if (isHeld) throw new CatalogError('BUSY', 'it is read')
          gone.push(`content ${cid}`)
        }
      },
      collecting: { changed: () => void gone.push('collected') },
      logger: silentLogger
    }
    return new BlockDropping(modules as unknown as DroppingModules)
  }

  test('its content, although it is pinned, and its record; nothing in a dry run', async () => {
    const expected = { releases: 1, contents: 1, sizeBytes: 10 }
    expect(await dropping('demo').drop(signal, { isDryRun: true })).toEqual(expected)
    expect(gone).toEqual([])
    expect(await dropping('demo').drop(signal)).toEqual(expected)
    expect(gone).toEqual(['pin', `content ${DEMO.release.content}`, `record ${DEMO.id}`, 'collected'])
  })

  test('no content that another release names', async () => {
    names = [DEMO, ours]
    expect(await dropping(formatPublicKey(MALLORY.publicKey)).drop(signal)).toMatchObject({ contents: 0 })
    expect(gone).toEqual([`record ${DEMO.id}`, 'collected'])
  })

  test('no record of a library that is followed: its copy is what its node has signed', async () => {
    followed.add(DEMO)
    expect(await dropping('demo').drop(signal)).toEqual({ releases: 0, contents: 1, sizeBytes: 10 })
    expect(gone).not.toContain(`record ${DEMO.id}`)
  })

  test('nothing that is in use: that is told, and its record stays to say what it is', async () => {
    isHeld = true
    await expect(dropping('demo').drop(signal)).rejects.toMatchObject({ code: 'BUSY' })
    expect(gone).not.toContain(`record ${DEMO.id}`)
    isHeld = false
    expect(await dropping('demo').drop(signal)).toMatchObject({ releases: 1, contents: 1 })
  })
})
