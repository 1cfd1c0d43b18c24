import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseSpec, type ReleaseRecord } from '../../../library/index.ts'
import { type NamedSpec, selectRelease } from '../../../node/services/selection.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'

const ALICE = SigningKey.generate().publicKey
const BOB = SigningKey.generate().publicKey

const record = (version: string, owner = ALICE, sequence = 1): ReleaseRecord =>
  ({
    id: { toString: () => `${version}-${Buffer.from(owner).toString('hex', 0, 4)}-${sequence}` },
    release: { name: 'ui', version, owner, sequence }
  }) as unknown as ReleaseRecord

const spec = (text: string): NamedSpec => parseSpec(text) as NamedSpec

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
    fc.assert(
      fc.property(fc.array(version), fc.array(version, { minLength: 1 }), (mine, theirs) => {
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
})
