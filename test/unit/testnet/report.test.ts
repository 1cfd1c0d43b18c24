import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRuns } from '../../../testnet/baseline/index.ts'
import { htmlReport, junitReport } from '../../../testnet/report/index.ts'
import { escapeAttribute, escapeText } from '../../../testnet/report/markup.ts'
import { allOf, parseXml } from './parse-xml.ts'
import { PASSED, RESULT } from './reported.ts'

const MACHINE = '2 x a processor'
const earlier = Array.from({ length: 5 }, (_, at) => ({
  ...PASSED,
  machine: MACHINE,
  figures: { fetch: { unit: 'ms' as const, count: 200, p50: 50 + at, p95: 880 + at, p99: 1400 } }
}))
const slower = { result: PASSED, machine: MACHINE, comparison: compareRuns(earlier, PASSED.figures) }
const failed = { result: RESULT, machine: MACHINE }

/** Text of every kind: what XML cannot say, what it must escape, halves of pairs, markup. */
const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '<',
      '>',
      '&',
      '"',
      "'",
      ']]>',
      '\u0000',
      '\u001b[31m',
      '\r',
      '\n',
      '\t',
      '\ud800',
      '\udc00',
      '\uffff',
      'é'
    )
  }),
  fc.constantFrom('<!--', '<![CDATA[', '&amp;', '</testcase>', '<script>', '--><')
)
const inXml = (text: string): string =>
  [...text]
    .map(character =>
      /[\t\n\r\u0020-\ud7ff\ue000-\ufffd]|[\u{10000}-\u{10ffff}]/u.test(character) ? character : '\ufffd'
    )
    .join('')
/** Numbered as XML 1.0 does (production 2). */
const ONLY_CHARACTERS = /^(?:[\t\n\r\u0020-\ud7ff\ue000-\ufffd]|[\ud800-\udbff][\udc00-\udfff])*$/

describe('a report as JUnit XML', () => {
  it('has a suite for each scenario and a case for each step', () => {
    const root = parseXml(junitReport([failed]))
    expect(root).toMatchObject({ name: 'testsuites', attributes: { tests: '4', failures: '1', errors: '1' } })
    const [suite] = root.children
    expect(suite!.attributes).toMatchObject({
      name: 'flash-crowd',
      tests: '4',
      failures: '1',
      errors: '1',
      skipped: '1',
      time: '61',
      timestamp: '2026-01-02T03:04:05'
    })
    const cases = allOf(root, 'testcase').map(({ attributes, children }) => [
      attributes.name,
      attributes.time,
      children.map(({ name, attributes: { message }, text }) => [name, message, text])
    ])
    expect(cases).toEqual([
      ['publish', '1.5', []],
      ['fetch <all> & "quote"', '59', [['failure', 'TIMEOUT: nobody', 'TIMEOUT: nobody\nanswered']]],
      ['compare', '0', [['skipped', 'a step before it has failed', '']]],
      ['taking back pause: mirror-1', '0', [['error', 'it has ended', 'it has ended']]]
    ])
  })

  it('says what was measured, and fails for what was faster in earlier runs', () => {
    const root = parseXml(junitReport([slower]))
    const properties = allOf(root, 'property').map(({ attributes: { name, value } }) => [name, value])
    expect(properties).toContainEqual(['fetch.p95.ms', '900'])
    expect(properties).toContainEqual(['earlierRuns', '5'])
    expect(root.attributes).toMatchObject({ tests: '2', failures: '1' })
    expect(allOf(root, 'testcase').at(-1)!.attributes.name).toBe('fetch, p50')
    expect(allOf(root, 'failure')[0]!.text).toContain('after 52 ms in 5 earlier runs')
  })

  it('says of a step that the driver cannot do what it cannot', () => {
    const steps = [{ name: 'fill', state: 'skipped' as const, tookMs: 0, error: 'UNSUPPORTED: no disk' }]
    const root = parseXml(junitReport([{ result: { ...RESULT, state: 'skipped', steps }, machine: '' }]))
    expect(allOf(root, 'skipped')[0]!.attributes.message).toBe('UNSUPPORTED: no disk')
  })

  it('never calls well what did not pass', () => {
    for (const state of ['failed', 'interrupted', 'skipped'] as const) {
      const root = parseXml(junitReport([{ result: { ...PASSED, state, reason: 'why' }, machine: '' }]))
      const { failures, errors, skipped } = root.children[0]!.attributes
      expect([failures, errors, skipped]).toEqual(
        { failed: ['1', '0', '0'], interrupted: ['0', '1', '0'], skipped: ['0', '0', '1'] }[state]
      )
    }
  })

  it('is well-formed and says what it was given, whatever that is', () => {
    fc.assert(
      fc.property(anyText, anyText, anyText, (name, error, reason) => {
        const steps = [{ name, state: 'failed' as const, tookMs: 1, error }]
        const result = { ...RESULT, scenario: name, reason, seed: reason, steps }
        const text = junitReport([{ result, machine: name }])
        expect(text).toMatch(ONLY_CHARACTERS)
        const [first] = allOf(parseXml(text), 'testcase')
        expect(first!.attributes.name).toBe(inXml(name))
        expect(first!.children[0]!.text).toBe(inXml(error))
      })
    )
  })

  it('counts what it lists', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(failed, slower)), runs => {
        const root = parseXml(junitReport(runs))
        expect(Number(root.attributes.tests)).toBe(allOf(root, 'testcase').length)
        expect(Number(root.attributes.failures)).toBe(allOf(root, 'failure').length)
        expect(Number(root.attributes.errors)).toBe(allOf(root, 'error').length)
      })
    )
  })
})

describe('a report as a page', () => {
  /** What HTML allows and XML does not: two void elements and the document type. */
  const asXml = (page: string): string =>
    page.replace('<!doctype html>', '').replace(/<meta [^>]*[^/]>/g, tag => `${tag.slice(0, -1)}/>`)

  const page = htmlReport([failed, slower])
  const root = parseXml(asXml(page))

  it('stands alone: no script, nothing from elsewhere', () => {
    expect(page).not.toMatch(/<script|<link|<img|\ssrc=|url\(|@import|https?:/)
    expect(page).toContain("default-src 'none'")
  })

  it('can be read without seeing it', () => {
    expect(root.attributes.lang).toBe('en')
    expect(allOf(root, 'title')[0]!.text).toBe('Testnet: 2 scenarios, 2 to look at')
    expect(allOf(root, 'h1')).toHaveLength(1)
    for (const table of allOf(root, 'table')) {
      expect(allOf(table, 'caption')[0]!.text).not.toBe('')
      for (const head of allOf(table, 'th')) expect(head.attributes.scope).toMatch(/^(col|row)$/)
    }
    const ids = new Set(
      allOf(root, 'h2')
        .concat(allOf(root, 'h3'))
        .map(({ attributes }) => attributes.id)
    )
    for (const drawing of allOf(root, 'svg')) {
      expect(drawing.attributes.role).toBe('img')
      expect(ids).toContain(drawing.attributes['aria-labelledby'])
    }
    for (const { attributes } of allOf(root, 'a')) expect(ids).toContain(attributes.href!.slice(1))
  })

  it('has a light and a dark form', () => {
    expect(page).toContain('color-scheme: light dark')
    expect(page).toContain('prefers-color-scheme: dark')
  })

  it('tells steps, faults, figures with what they were, and nodes', () => {
    const words = allOf(root, 'td')
      .concat(allOf(root, 'th'))
      .map(({ text }) => text)
    for (const word of [
      'fetch <all> & "quote"',
      '5 % between eu and us',
      'regression',
      '52 ms',
      'mirror-1',
      'no answer'
    ])
      expect(words).toContain(word)
    expect(allOf(root, 'pre').map(({ text }) => text)).toContain('TIMEOUT: nobody\nanswered')
  })

  it('is well-formed whatever it tells', () => {
    fc.assert(
      fc.property(anyText, anyText, (name, error) => {
        const steps = [{ name, state: 'failed' as const, tookMs: 1, error }]
        const faults = [{ kind: name, description: error, appliedAtMs: 1, error: name }]
        const text = htmlReport([
          { result: { ...RESULT, scenario: name, description: error, steps, faults }, machine: name }
        ])
        expect(allOf(parseXml(asXml(text)), 'script')).toEqual([])
      })
    )
  })
})

describe('escaped text', () => {
  it('is read as it was', () => {
    fc.assert(
      fc.property(anyText, text => {
        const { attributes, text: inside } = parseXml(
          `<a b="${escapeAttribute(text)}">${escapeText(text)}</a>`
        )
        expect(attributes.b).toBe(inXml(text))
        expect(inside).toBe(inXml(text))
      })
    )
  })
})
