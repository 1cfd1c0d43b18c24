import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  createAttestationRecord,
  createReleaseRecord,
  createStatusRecord,
  decodeStatement,
  nextSequence,
  RELEASE_STATES,
  releaseKey,
  type StatementRecord,
  StatementSet,
  trieKey
} from '../../../library/records/index.ts'
import { codeOf, contentOf, keyOf, NOW_MS, small } from './examples.ts'

const [ada, bob, eve] = [keyOf('ada'), keyOf('bob'), keyOf('eve')]
const release = createReleaseRecord(small(), ada)
const about = { name: 'hello', version: '1.0.0', content: release.release.content }
const status = (over: object = {}, key = ada): StatementRecord =>
  createStatusRecord({ ...about, state: 'yanked', sequence: NOW_MS, ...over }, key)
const attestation = (over: object = {}, key = bob): StatementRecord =>
  createAttestationRecord(
    { ...about, owner: ada.publicKey, statement: 'tested', holds: true, sequence: NOW_MS, ...over },
    key
  )

describe('a status', () => {
  test('names its release by the key of every record of it, whatever words the owner signed', () => {
    const newer = createReleaseRecord(small({ description: 'other words', sequence: NOW_MS + 1 }), ada)
    expect(releaseKey(release.release)).toEqual(trieKey(release))
    expect(status().subject).toEqual(trieKey(newer))
    const other = createReleaseRecord(small({ content: contentOf('other') }), ada)
    expect(status().subject).not.toEqual(trieKey(other))
  })

  test('of somebody else’s release is about another release', () => {
    const set = new StatementSet([status({}, eve)])
    expect(set.statusOf(release.release)).toBeUndefined()
  })

  test('whose replacement nobody can read today is not signed, though it would be read', () => {
    for (const [replacement, code] of [
      ['hello@not a range', 'SPEC_INVALID'],
      ['../x', 'NAME_INVALID'],
      [release.id.toString(), 'INVALID_ARGUMENT']
    ])
      expect(codeOf(() => status({ replacement }))).toBe(code)
    expect(codeOf(() => status({ replacement: '@acme/hello@^2' }))).toBe('OK')
    expect(codeOf(() => status({ reason: '' }))).toBe('INVALID_ARGUMENT')
  })
})

describe('statements', () => {
  const statement = fc
    .record({
      sequence: fc.integer({ min: NOW_MS, max: NOW_MS + 3 }),
      key: fc.constantFrom(bob, eve),
      state: fc.constantFrom(...RELEASE_STATES),
      word: fc.constantFrom('tested', 'built', undefined),
      holds: fc.boolean(),
      content: fc.constantFrom(about.content, contentOf('other'))
    })
    .map(({ sequence, key, state, word, holds, content }) =>
      word === undefined
        ? status({ sequence, state, content })
        : attestation({ sequence, statement: word, holds, content }, key)
    )

  test('say the same in whatever order they come, and however often', () => {
    fc.assert(
      fc.property(
        fc
          .array(statement, { maxLength: 12 })
          .chain(all =>
            fc.tuple(fc.constant(all), fc.shuffledSubarray([...all, ...all], { minLength: 2 * all.length }))
          ),
        ([all, shuffled]) => {
          const [one, other] = [new StatementSet(all), new StatementSet(shuffled)]
          for (const content of [about.content, contentOf('other')]) {
            const meant = { ...about, owner: ada.publicKey, content }
            expect(other.statusOf(meant)).toEqual(one.statusOf(meant))
            expect(other.attestationsOf(meant)).toEqual(one.attestationsOf(meant))
          }
        }
      ),
      { seed: 21, numRuns: 60 }
    )
  })

  test('are taken back by a later one, and each word of each signer stands for itself', () => {
    const set = new StatementSet([
      status(),
      attestation(),
      attestation({ statement: 'built' }),
      attestation({}, eve)
    ])
    const { sequence } = set.statusOf(release.release)!
    expect(set.add(status({ state: 'active', sequence: nextSequence(NOW_MS - 1, sequence) }))).toBe(true)
    expect(set.add(status())).toBe(false)
    expect(set.statusOf(release.release)).toMatchObject({ state: 'active' })
    expect(set.attestationsOf(release.release)).toHaveLength(3)
    set.add(attestation({ holds: false, sequence: NOW_MS + 1 }))
    expect(set.attestationsOf(release.release)).toHaveLength(2)
  })

  test('with any bytes changed are refused', () => {
    const good = status({ reason: 'leaks' }).bytes
    const change = fc.record({ at: fc.nat(good.length - 1), by: fc.integer({ min: 1, max: 255 }) })
    const codes = ['RECORD_INVALID', 'SIGNATURE_INVALID', 'UNSUPPORTED']
    fc.assert(
      fc.property(change, ({ at, by }) => {
        const bytes = Uint8Array.from(good)
        bytes[at]! ^= by
        return codes.includes(codeOf(() => decodeStatement(bytes)))
      }),
      { seed: 22, numRuns: 1000 }
    )
  })
})
