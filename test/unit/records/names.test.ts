import fc from 'fast-check'
import semver from 'semver'
import { describe, expect, test } from 'vitest'
import { checkName, checkVersion, isName, isVersion } from '../../../library/names.ts'
import {
  compareVersions,
  formatSpec,
  highestVersion,
  parseSpec,
  recordCid,
  type Spec
} from '../../../library/spec.ts'
import { codeOf, contentOf } from './examples.ts'

const messageOf = (call: () => unknown): string => {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return ''
}

describe('names and versions', () => {
  test('names', () => {
    for (const good of [
      'a',
      '0',
      'left-pad',
      'a.b_c-d',
      '@acme/fast',
      '@a/b',
      'a'.repeat(64),
      `@${'s'.repeat(64)}/${'n'.repeat(64)}`
    ])
      expect(isName(good)).toBe(true)
    const bad = [
      '',
      '-a',
      '.a',
      '_a',
      'A',
      'a b',
      'a/b',
      '@a',
      '@a/',
      '@/a',
      '@a/b/c',
      '../a',
      'a\0',
      'a\n',
      'ä',
      'a'.repeat(65),
      '@@a/b',
      'a@b'
    ]
    for (const name of bad) {
      expect(isName(name)).toBe(false)
      expect(codeOf(() => checkName(name))).toBe('NAME_INVALID')
    }
    expect(messageOf(() => checkName('Hello'))).toContain('upper-case')
    expect(messageOf(() => checkName('a b'))).toContain('" "')
    expect(messageOf(() => checkName('@acme'))).toContain('scope')
    expect(messageOf(() => checkName('a\u001b[2J'))).not.toContain('\u001b')
  })

  test('versions, with a reason when refused', () => {
    for (const good of [
      '0.0.0',
      '1.2.3',
      '1.0.0-rc.1',
      '1.0.0-0.3.7',
      '1.0.0--',
      '1.0.0-x-y-z.4',
      '9007199254740991.0.0'
    ])
      expect(isVersion(good)).toBe(true)
    const bad = [
      '',
      '1',
      '1.0',
      'v1.0.0',
      '=1.0.0',
      '01.0.0',
      '1.0.0-01',
      '1.0.0-',
      '1.0.0-a..b',
      '1.0.0+b',
      '1.0.0 ',
      '9007199254740992.0.0',
      '1.0.0-9007199254740992',
      `1.0.0-${'a'.repeat(123)}`,
      '1.0.0\n'
    ]
    for (const version of bad) {
      expect(isVersion(version), version).toBe(false)
      expect(codeOf(() => checkVersion(version))).toBe('VERSION_INVALID')
    }
    expect(messageOf(() => checkVersion('v1.0.0'))).toContain('leading v')
    expect(messageOf(() => checkVersion('1.0.0+x'))).toContain('build metadata')
    expect(messageOf(() => checkVersion('1.0'))).toContain('three numbers')
  })

  test('every version we accept, node-semver reads as the same text', () => {
    const part = fc.stringMatching(/^[0-9a-zA-Z-]{1,6}$/)
    const number = fc.stringMatching(/^\d{1,4}$/)
    const version = fc
      .tuple(number, number, number, fc.array(part, { maxLength: 3 }))
      .map(([a, b, c, pre]) => `${a}.${b}.${c}${pre.length > 0 ? '-' : ''}${pre.join('.')}`)
    fc.assert(
      fc.property(version, text => isVersion(text) === (semver.valid(text) === text)),
      { seed: 21, numRuns: 2000 }
    )
  })
})

describe('specs', () => {
  const cid = recordCid(contentOf('x').multihash.digest)
  test.each<[string, Spec]>([
    ['hello', { kind: 'any', name: 'hello' }],
    ['hello@latest', { kind: 'any', name: 'hello' }],
    ['@acme/hello', { kind: 'any', name: '@acme/hello' }],
    ['hello@1.2.3', { kind: 'range', name: 'hello', range: '1.2.3', exact: true }],
    ['@acme/hello@^1.2', { kind: 'range', name: '@acme/hello', range: '^1.2', exact: false }],
    ['hello@>=1 <3 || 5.x', { kind: 'range', name: 'hello', range: '>=1 <3 || 5.x', exact: false }],
    [cid.toString(), { kind: 'id', id: cid }],
    [Buffer.from(cid.multihash.digest).toString('hex'), { kind: 'id', id: cid }],
    [`sha256:${Buffer.from(cid.multihash.digest).toString('hex')}`, { kind: 'id', id: cid }],
    [contentOf('x').toString(), { kind: 'id', id: contentOf('x') }]
  ])('%s', (text, spec) => {
    expect(parseSpec(text)).toEqual(spec)
    expect(parseSpec(formatSpec(spec))).toEqual(spec)
  })

  test.each([
    ['', 'SPEC_INVALID'],
    ['x'.repeat(1000), 'SPEC_INVALID'],
    ['hello@not a range', 'SPEC_INVALID'],
    ['hello@../../etc', 'SPEC_INVALID'],
    ['../hello@1', 'NAME_INVALID'],
    ['Hello', 'NAME_INVALID'],
    ['@acme@1.0.0', 'NAME_INVALID'],
    ['@', 'NAME_INVALID'],
    ['sha256:abc', 'SPEC_INVALID'],
    [`${cid.toString().slice(0, -1)}`, 'SPEC_INVALID']
  ])('%j is refused', (text, code) => {
    expect(codeOf(() => parseSpec(text))).toBe(code)
  })

  test('nothing but a CatalogError comes out of any text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string({ unit: 'grapheme' }),
          fc.stringMatching(/^[@a-z0-9./^~<>=* -]{0,40}$/)
        ),
        text => ['OK', 'SPEC_INVALID', 'NAME_INVALID'].includes(codeOf(() => parseSpec(text)))
      ),
      { seed: 22, numRuns: 2000 }
    )
  })

  test('the highest version is chosen by the rules of npm', () => {
    const versions = ['1.0.0', '1.10.0', '1.9.3', '2.0.0-rc.1', '2.0.0-rc.10', '0.9.0']
    const highest = (text: string): string | undefined =>
      highestVersion(parseSpec(text) as Exclude<Spec, { kind: 'id' }>, versions)
    expect(highest('p')).toBe('1.10.0')
    expect(highest('p@^1.9')).toBe('1.10.0')
    expect(highest('p@~1.9')).toBe('1.9.3')
    expect(highest('p@>=2.0.0-rc.1')).toBe('2.0.0-rc.10')
    expect(highest('p@2.0.0-rc.1')).toBe('2.0.0-rc.1')
    expect(highest('p@>1.10.0')).toBeUndefined()
    expect(highest('p@3')).toBeUndefined()
    expect(highestVersion({ kind: 'any', name: 'p' }, ['1.0.0-b', '1.0.0-a'])).toBe('1.0.0-b')
    expect(highestVersion({ kind: 'any', name: 'p' }, [])).toBeUndefined()
    expect(compareVersions('1.0.0-rc.2', '1.0.0-rc.10')).toBeLessThan(0)
  })
})
