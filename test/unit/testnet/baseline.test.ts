import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { Baseline, type BaselineRun, compareRuns, runOf } from '../../../testnet/baseline/index.ts'
import type { Figure } from '../../../testnet/scenarios/index.ts'
import { PASSED } from './reported.ts'

const folder = mkdtempSync(join(tmpdir(), 'catalog-baseline-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** All percentiles alike, of enough values for each. */
const figure = (value: number, unit: Figure['unit'] = 'ms', count = 500): Figure => ({
  unit,
  count,
  p50: value,
  p95: value,
  p99: value
})
const runs = (values: readonly number[], unit: Figure['unit'] = 'ms'): BaselineRun[] =>
  values.map((value, at) => ({
    ...runOf(PASSED, 'here'),
    startedAt: `2026-01-01T00:00:0${at}.000Z`,
    figures: { fetch: figure(value, unit) }
  }))
const verdictOf = (before: readonly number[], now: number, unit: Figure['unit'] = 'ms') => {
  const { figures, isRegression } = compareRuns(runs(before, unit), { fetch: figure(now, unit) })
  expect(new Set(figures.map(({ verdict }) => verdict)).size).toBe(1)
  expect(isRegression).toBe(figures[0]!.verdict === 'regression')
  return figures[0]!.verdict
}

describe('a run against earlier ones', () => {
  it('is a regression when it is slower by more than they differ', () => {
    expect(verdictOf([100, 102, 99, 101, 100], 130)).toBe('regression')
    expect(verdictOf([100, 102, 99, 101, 100], 120)).toBe('same')
    expect(verdictOf([100, 160, 60, 140, 90], 170)).toBe('same')
  })

  it('is not when an earlier run was as slow', () => {
    expect(verdictOf([100, 101, 99, 100, 300], 299)).toBe('same')
    expect(verdictOf([100, 101, 99, 100, 300], 301)).toBe('regression')
  })

  it('is not for next to nothing', () => {
    expect(verdictOf([1, 1, 1, 1, 1], 5)).toBe('same')
    expect(verdictOf([1, 1, 1, 1, 1], 6.1)).toBe('regression')
    expect(verdictOf([0, 0, 0, 0, 0], 60_000, 'bytes')).toBe('same')
  })

  it('is an improvement on the other side, and of a count only told', () => {
    expect(verdictOf([100, 102, 99, 101, 100], 70)).toBe('improvement')
    expect(verdictOf([10, 10, 10, 10, 10], 20, 'count')).toBe('changed')
    expect(verdictOf([10, 10, 10, 10, 10], 5, 'count')).toBe('changed')
  })

  it('says nothing after too few, or of percentiles that are the largest of few values', () => {
    expect(verdictOf([100, 100, 100, 100], 500)).toBe('unknown')
    const few = compareRuns(runs([100, 100, 100, 100, 100]), { fetch: figure(500, 'ms', 30) })
    expect(few.figures.map(({ percentile, verdict }) => [percentile, verdict])).toEqual([
      ['p50', 'regression'],
      ['p95', 'regression'],
      ['p99', 'unknown']
    ])
    expect(compareRuns([], { fetch: figure(1) }).figures[0]).toEqual({
      figure: 'fetch',
      unit: 'ms',
      percentile: 'p50',
      now: 1,
      verdict: 'unknown',
      reason: '0 earlier runs, and it takes 5'
    })
  })

  it('does not hold sizes against durations', () => {
    const before = runs([100, 100, 100, 100, 100], 'bytes')
    expect(compareRuns(before, { fetch: figure(1e6) }).figures[0]!.verdict).toBe('unknown')
  })

  it('is never worse for being faster, nor for one more run that was as it is', () => {
    const value = fc.integer({ min: 0, max: 10_000 })
    fc.assert(
      fc.property(fc.array(value, { minLength: 5, maxLength: 12 }), value, value, (before, one, other) => {
        const [fast, slow] = one < other ? [one, other] : [other, one]
        if (verdictOf(before, slow) !== 'regression') expect(verdictOf(before, fast)).not.toBe('regression')
        expect(verdictOf([...before, slow], slow)).not.toBe('regression')
      })
    )
  })
})

describe('a baseline', () => {
  it('is the same after it was written and read', () => {
    const path = join(folder, 'whole.json')
    const [first, second] = runs([1, 2])
    const elsewhere = { ...first!, machine: 'there' }
    const baseline = [first!, elsewhere, second!].reduce((all, run) => all.with(run), new Baseline())
    baseline.write(path)
    const read = Baseline.read(path)
    expect(read.runsOf(first!)).toEqual([first, second])
    expect(read.runsOf(elsewhere)).toEqual([elsewhere])
    expect(read.runsOf({ ...first!, driver: 'compose' })).toEqual([])
    expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(6)
  })

  it('keeps the newest of each kind', () => {
    const many = Array.from({ length: 30 }, (_, at) => ({ ...runs([at])[0]!, startedAt: `${at}` }))
    const baseline = many.reduce(
      (all, run) => all.with(run),
      new Baseline().with({ ...many[0]!, driver: 'x' })
    )
    expect(baseline.runsOf(many[0]!).map(({ startedAt }) => Number(startedAt))).toEqual(
      Array.from({ length: 20 }, (_, at) => at + 10)
    )
    expect(baseline.runsOf({ ...many[0]!, driver: 'x' })).toHaveLength(1)
  })

  it('is empty without a file, and refuses what is none', () => {
    expect(Baseline.read(join(folder, 'none.json')).runsOf(runs([1])[0]!)).toEqual([])
    const [run] = runs([1])
    for (const text of [
      '',
      'null',
      '{}',
      '{"format":2,"runs":[]}',
      '{"format":1,"runs":{}}',
      '{"format":1,"runs":[null]}',
      JSON.stringify({ format: 1, runs: [{ ...run, machine: 7 }] }),
      JSON.stringify({ format: 1, runs: [{ ...run, figures: { a: { ...figure(1), p95: null } } }] })
    ]) {
      const path = join(folder, 'bad.json')
      writeFileSync(path, text)
      expect(() => Baseline.read(path), text).toThrow(expect.objectContaining({ code: 'FORMAT_INVALID' }))
    }
  })
})
