import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ConflictStrategy } from '../../../config/index.ts'
import {
  createAttestationRecord,
  createStatusRecord,
  type NewStatus,
  parseSpec,
  type ReleaseRecord,
  type StatementRecord,
  StatementSet
} from '../../../library/index.ts'
import { type NamedSpec, type OwnerRule, selectRelease as select } from '../../../node/services/selection.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { contentOf } from '../records/examples.ts'

const KEY = SigningKey.generate()
const ALICE = KEY.publicKey
const TESTER = SigningKey.generate()
const BOB = SigningKey.generate().publicKey

const record = (
  version: string,
  owner = ALICE,
  content = contentOf(version),
  { sequence = 1, description = 'words' } = {}
): ReleaseRecord =>
  ({
    id: { toString: () => `${version}-${Buffer.from(owner).toString('hex', 0, 4)}-${content}` },
    sequence,
    bytes: Buffer.from(`${version} ${content}`),
    release: { name: 'ui', version, owner, content, description }
  }) as unknown as ReleaseRecord

const status = (version: string, state: NewStatus['state'], over: Partial<NewStatus> = {}): StatementRecord =>
  createStatusRecord({ name: 'ui', version, content: contentOf(version), state, sequence: 1, ...over }, KEY)

const spec = (text: string): NamedSpec => parseSpec(text) as NamedSpec

const selectRelease = (
  records: ReleaseRecord[],
  meant: NamedSpec,
  rule: Partial<OwnerRule>,
  statements: StatementRecord[] = []
): ReleaseRecord =>
  select({ records, statements: new StatementSet(statements) }, meant, { policy: policy('manual'), ...rule })

const policy = (strategy: ConflictStrategy): OwnerRule['policy'] => ({
  strategy,
  weights: new Map([[formatPublicKey(TESTER.publicKey), 1]])
})

describe('which release is meant', () => {
  it('is the highest that matches', () => {
    const records = ['1.0.0', '1.10.0', '1.9.0', '2.0.0', '3.0.0-rc.1'].map(version => record(version))
    expect(selectRelease(records, spec('ui'), {}).release.version).toBe('2.0.0')
    expect(selectRelease(records, spec('ui@^1.0.0'), {}).release.version).toBe('1.10.0')
    expect(selectRelease(records, spec('ui@1.9.0'), {}).release.version).toBe('1.9.0')
    expect(selectRelease(records, spec('ui@3.0.0-rc.1'), {}).release.version).toBe('3.0.0-rc.1')
  })

  it('is not found, with the versions that there are', () => {
    expect(() => selectRelease([record('1.0.0')], spec('ui@^2.0.0'), {})).toThrow(
      expect.objectContaining({ code: 'RELEASE_NOT_FOUND', details: { name: 'ui', versions: ['1.0.0'] } })
    )
    expect(() => selectRelease([], spec('ui'), {})).toThrow(
      expect.objectContaining({ code: 'RELEASE_NOT_FOUND' })
    )
  })

  it('is nobody’s guess while two owners publish the name', () => {
    const records = [record('1.0.0'), record('9.9.9', BOB)]
    expect(() => selectRelease(records, spec('ui'), {})).toThrow(
      expect.objectContaining({
        code: 'OWNER_AMBIGUOUS',
        message: expect.stringContaining(`${formatPublicKey(BOB)} (9.9.9)`),
        details: {
          name: 'ui',
          owners: expect.arrayContaining([
            { publisher: formatPublicKey(ALICE), versions: ['1.0.0'] },
            { publisher: formatPublicKey(BOB), versions: ['9.9.9'] }
          ])
        }
      })
    )
    expect(() => selectRelease(records, spec('ui@9.9.9'), {})).toThrow(
      expect.objectContaining({ code: 'OWNER_AMBIGUOUS' })
    )
  })

  it('names a stranger’s many owners and versions in one readable line', () => {
    const records = Array.from({ length: 30 }, () => SigningKey.generate().publicKey).flatMap(owner =>
      Array.from({ length: 30 }, (_, minor) => record(`1.${minor}.0`, owner))
    )
    const thrown = (() => {
      try {
        return selectRelease(records, spec('ui'), {})
      } catch (error) {
        return error as Error
      }
    })() as Error
    expect(thrown.message).toMatch(/\(1\.29\.0, 1\.28\.0, 1\.27\.0, 1\.26\.0, …\); .*; and others$/)
    expect(thrown.message.length).toBeLessThan(1000)
  })

  it('follows the pin, and refuses when only others publish', () => {
    const records = [record('1.0.0'), record('9.9.9', BOB)]
    expect(selectRelease(records, spec('ui'), { pin: ALICE }).release.version).toBe('1.0.0')
    expect(() => selectRelease([record('9.9.9', BOB)], spec('ui'), { pin: ALICE })).toThrow(
      expect.objectContaining({ code: 'OWNER_CHANGED' })
    )
  })

  it('follows the user before the pin', () => {
    const records = [record('1.0.0'), record('9.9.9', BOB)]
    expect(selectRelease(records, spec('ui'), { pin: ALICE, publisher: BOB }).release.version).toBe('9.9.9')
    const carol = SigningKey.generate().publicKey
    expect(() => selectRelease(records, spec('ui'), { publisher: carol })).toThrow(
      expect.objectContaining({ code: 'RELEASE_NOT_FOUND' })
    )
  })

  it('never crosses owners, whatever strangers publish', () => {
    const version = fc.tuple(fc.nat(5), fc.nat(5), fc.nat(5)).map(parts => parts.join('.'))
    // Nobody has one record twice.
    const versions = (minLength: number): fc.Arbitrary<string[]> => fc.uniqueArray(version, { minLength })
    fc.assert(
      fc.property(versions(0), versions(1), (mine, theirs) => {
        const records = [...theirs.map(v => record(v, BOB)), ...mine.map(v => record(v, ALICE))]
        try {
          expect(selectRelease(records, spec('ui'), { pin: ALICE }).release.owner).toBe(ALICE)
        } catch (error) {
          expect(mine).toEqual([])
          expect(error).toMatchObject({ code: 'OWNER_CHANGED' })
        }
      })
    )
  })

  it('passes over what is yanked, unless it is named exactly', () => {
    const records = ['1.0.0', '1.1.0', '1.2.0'].map(version => record(version))
    const yanks = [status('1.2.0', 'yanked'), status('1.1.0', 'deprecated')]
    const chosen = (text: string, said = yanks): string =>
      selectRelease(records, spec(text), {}, said).release.version
    expect(chosen('ui')).toBe('1.1.0')
    expect(chosen('ui@^1.0.0')).toBe('1.1.0')
    expect(chosen('ui@1.2.0')).toBe('1.2.0')
    const unyank = status('1.2.0', 'active', { sequence: 2 })
    expect(chosen('ui', [unyank, ...yanks])).toBe('1.2.0')
    const foreign = status('1.2.0', 'yanked', { content: contentOf('other') })
    expect(chosen('ui', [foreign])).toBe('1.2.0')
  })

  it('says so when everything that matches is yanked, and how to take it all the same', () => {
    const said = status('1.0.0', 'yanked', { reason: 'leaks', replacement: 'ui2@^1' })
    expect(() => selectRelease([record('1.0.0')], spec('ui'), {}, [said])).toThrow(
      expect.objectContaining({
        code: 'RELEASE_NOT_FOUND',
        message: 'every version that matches ui is yanked: 1.0.0 (leaks); instead of it: ui2@^1',
        hint: expect.stringContaining('ui@1.0.0'),
        details: { name: 'ui', yanked: ['1.0.0'] }
      })
    )
  })

  it('is none of two contents of one owner, unless it is locked or pinned here', () => {
    const [one, two] = [contentOf('one'), contentOf('two')]
    const records = [record('1.0.0'), record('2.0.0', ALICE, one), record('2.0.0', ALICE, two)]
    const chosen = (text: string, rule: Partial<OwnerRule>): ReleaseRecord =>
      selectRelease(records, spec(text), rule)
    expect(() => chosen('ui@2.0.0', {})).toThrow(
      expect.objectContaining({
        code: 'RELEASE_EQUIVOCATED',
        details: expect.objectContaining({
          releases: expect.arrayContaining([expect.objectContaining({ content: two.toString() })])
        })
      })
    )
    expect(() => chosen('ui@^2.0.0', {})).toThrow(expect.objectContaining({ code: 'RELEASE_EQUIVOCATED' }))
    expect(chosen('ui', {}).release.version).toBe('1.0.0')
    expect(chosen('ui@2.0.0', { content: two }).release.content).toBe(two)
    expect(chosen('ui', { isPinned: ({ content }) => content === one }).release.content).toBe(one)
    expect(() => chosen('ui@2.0.0', { content: contentOf('three') })).toThrow(
      expect.objectContaining({ code: 'RELEASE_NOT_FOUND' })
    )
  })
})

describe('of a name that several owners publish and nobody pinned here', () => {
  const alices = [record('1.0.0'), record('2.0.0')]
  const bobs = [record('2.0.0', BOB, contentOf('bobs'), { sequence: 2 }), record('9.9.9', BOB)]
  const all = [...alices, ...bobs]
  const chosen = (text: string, strategy: ConflictStrategy, said: StatementRecord[] = []): string => {
    const { release } = selectRelease(all, spec(text), { policy: policy(strategy) }, said)
    return `${release.version} of ${release.owner === ALICE ? 'Alice' : 'Bob'}`
  }
  const attested = (owner: Uint8Array, version: string, content = contentOf(version)): StatementRecord =>
    createAttestationRecord(
      { name: 'ui', version, owner, content, statement: 'tested', holds: true, sequence: 1 },
      TESTER
    )

  it('the strategy decides, version by version', () => {
    expect(chosen('ui@2.0.0', 'newest-wins')).toBe('2.0.0 of Bob')
    expect(chosen('ui@^1.0.0', 'newest-wins')).toBe('1.0.0 of Alice')
    const said = [attested(ALICE, '2.0.0')]
    expect(chosen('ui', 'consensus-wins', said)).toBe('2.0.0 of Alice')
  })

  it('nobody is guessed by a strategy that chooses nobody, nor where it finds nothing to choose by', () => {
    for (const strategy of ['manual', 'keep-both', 'merge', 'consensus-wins'] as const)
      for (const text of ['ui', 'ui@2.0.0', 'ui@9.9.9'])
        expect(() => chosen(text, strategy)).toThrow(expect.objectContaining({ code: 'OWNER_AMBIGUOUS' }))
    expect(() => chosen('ui@^1.0.0', 'consensus-wins', [attested(ALICE, '2.0.0')])).toThrow(
      expect.objectContaining({
        code: 'OWNER_AMBIGUOUS',
        hint: expect.stringContaining('conflicts resolve ui')
      })
    )
  })

  it('a pin outranks the strategy', () => {
    const rule = { pin: ALICE, policy: policy('newest-wins') }
    expect(selectRelease(all, spec('ui'), rule).release).toMatchObject({ version: '2.0.0', owner: ALICE })
    expect(() => selectRelease(bobs, spec('ui'), rule)).toThrow(
      expect.objectContaining({ code: 'OWNER_CHANGED' })
    )
  })

  it('equal content is shown once, and not taken', () => {
    const twins = [record('1.0.0'), record('1.0.0', BOB, contentOf('1.0.0'), { sequence: 2 })]
    const merging = { policy: policy('merge') }
    expect(selectRelease(twins, spec('ui'), { ...merging, shows: true }).release.owner).toBe(BOB)
    expect(() => selectRelease(twins, spec('ui'), merging)).toThrow(
      expect.objectContaining({ code: 'OWNER_AMBIGUOUS' })
    )
  })
})
