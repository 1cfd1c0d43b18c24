/**
 * Results as one page of HTML: no script, nothing from elsewhere, readable as it stands, on paper and by a screen reader. Colour never
 * says what a word does not.
 */
import { displayDuration, displaySize, plural } from '../../base/index.ts'
import { type Comparison, displayValue, type Verdict } from '../baseline/compare.ts'
import type { Figure, ScenarioResult } from '../scenarios/result.ts'
import { element, escapeText } from './markup.ts'
import { isBad, type ReportedRun } from './reported-run.ts'
import { STYLE } from './style.ts'
import { timelineOf } from './timeline.ts'

/** A cell: text, or markup with a class. */
type Cell = string | number | { readonly html: string; readonly class?: string }

const GOOD = new Set(['passed', 'running', 'improvement', 'same'])
const BAD = new Set(['failed', 'interrupted', 'stopped', 'regression'])

/** The whole document. */
export function htmlReport(runs: readonly ReportedRun[]): string {
  const bad = runs.filter(isBad).length
  const title = `Testnet: ${plural(runs.length, 'scenario')}, ${bad === 0 ? 'all well' : `${bad} to look at`}`
  const head = [
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    element('title', {}, escapeText(title)),
    element('style', {}, STYLE)
  ]
  const body = element('main', {}, [
    element('h1', {}, escapeText(title)),
    summaryOf(runs),
    ...runs.map((run, at) => sectionOf(run, `run-${at + 1}`))
  ])
  return `<!doctype html>\n<html lang="en"><head>${head.join('\n')}</head>\n<body>${body}</body></html>\n`
}

function summaryOf(runs: readonly ReportedRun[]): string {
  const rows = runs.map(({ result, comparison }, at): Cell[] => [
    { html: element('a', { href: `#run-${at + 1}` }, escapeText(result.scenario)) },
    word(result.state),
    baselineWord(comparison),
    result.driver,
    displayDuration(result.tookMs)
  ])
  return table('All of them', ['scenario', 'state', 'against earlier runs', 'driver', 'took'], rows)
}

function sectionOf({ result, machine, comparison }: ReportedRun, id: string): string {
  const facts: Array<[string, string | undefined]> = [
    ['state', result.state],
    ['because', result.reason],
    ['started', result.startedAt],
    ['took', displayDuration(result.tookMs)],
    ['driver', result.driver],
    ['topology', result.topology],
    ['seed', result.seed],
    ['machine', machine]
  ]
  const list = facts.flatMap(([name, value]) =>
    value === undefined ? [] : [element('dt', {}, name), element('dd', {}, escapeText(value))]
  )
  const drawing = timelineOf(result, `${id}-time`)
  return element('section', { 'aria-labelledby': id }, [
    element('h2', { id }, `${escapeText(result.scenario)}: ${mark(result.state)}`),
    element('p', {}, escapeText(result.description)),
    element('dl', {}, list),
    drawing === '' ? '' : element('h3', { id: `${id}-time` }, 'Steps and faults over time') + drawing,
    stepsOf(result),
    faultsOf(result),
    comparison === undefined ? figuresOf(result) : comparedOf(result, comparison),
    nodesOf(result)
  ])
}

function stepsOf({ steps }: ScenarioResult): string {
  const rows = steps.map(({ name, state, tookMs, error }): Cell[] => [
    name,
    word(state),
    displayDuration(tookMs),
    error === undefined ? '' : { html: element('pre', {}, escapeText(error)) }
  ])
  return table('Steps', ['step', 'state', 'took', 'error'], rows)
}

function faultsOf({ faults }: ScenarioResult): string {
  const rows = faults.map(({ kind, description, appliedAtMs, revertedAtMs, error }): Cell[] => [
    kind,
    description,
    displayDuration(appliedAtMs),
    error === undefined
      ? displayDuration(revertedAtMs ?? appliedAtMs)
      : { html: `not taken back: ${element('pre', {}, escapeText(error))}`, class: 'bad' }
  ])
  return table('Faults', ['kind', 'what', 'from', 'until'], rows)
}

function figuresOf({ figures }: ScenarioResult): string {
  const rows = Object.entries(figures).map(([name, { unit, count, p50, p95, p99 }]): Cell[] => [
    name,
    count,
    ...[p50, p95, p99].map(value => numeric(displayValue(value, unit)))
  ])
  return table('Figures', ['figure', 'values', 'p50', 'p95', 'p99'], rows)
}

/** The same with what they were, a row for each percentile. */
function comparedOf({ figures: measured }: ScenarioResult, { figures, earlierRuns }: Comparison): string {
  const rows = figures.map(({ figure, unit, percentile, now, before, ratio, verdict, reason }): Cell[] => [
    `${figure}, ${percentile}`,
    (measured[figure] as Figure).count,
    numeric(displayValue(now, unit)),
    numeric(before === undefined ? 'none' : displayValue(before, unit)),
    numeric(ratio === undefined ? '' : `${ratio.toFixed(2)} ×`),
    word(verdict),
    reason
  ])
  const caption = `Figures, against the median of ${plural(earlierRuns, 'earlier run')}`
  return table(caption, ['figure', 'values', 'now', 'before', 'ratio', 'verdict', 'because'], rows)
}

function nodesOf({ nodes }: ScenarioResult): string {
  const shown = (value: number | undefined, display: (value: number) => string = String): Cell =>
    value === undefined ? 'no answer' : numeric(display(value))
  const rows = nodes.map(({ name, role, region, state, peers, releases, rssBytes }): Cell[] => [
    name,
    role,
    region,
    word(state),
    shown(peers),
    shown(releases),
    shown(rssBytes, displaySize)
  ])
  return table('Nodes at the end', ['node', 'role', 'region', 'state', 'peers', 'releases', 'memory'], rows)
}

/** The first column names its row. Empty without rows. A table that is too wide scrolls, by keyboard as well. */
function table(caption: string, columns: readonly string[], rows: ReadonlyArray<readonly Cell[]>): string {
  if (rows.length === 0) return ''
  const heads = columns.map(name => element('th', { scope: 'col' }, escapeText(name)))
  const lines = rows.map(([first, ...rest]) =>
    element('tr', {}, [cell('th', first!, { scope: 'row' }), ...rest.map(one => cell('td', one))])
  )
  return element('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, [
    element('table', {}, [
      element('caption', {}, escapeText(caption)),
      element('thead', {}, element('tr', {}, heads)),
      element('tbody', {}, lines)
    ])
  ])
}

function cell(name: 'th' | 'td', value: Cell, attributes: { scope?: string } = {}): string {
  if (typeof value === 'object') return element(name, { ...attributes, class: value.class }, value.html)
  return element(name, attributes, escapeText(String(value)))
}

const numeric = (text: string): Cell => ({ html: escapeText(text), class: 'number' })

const classOf = (state: string): string => (GOOD.has(state) ? 'good' : BAD.has(state) ? 'bad' : 'other')
const word = (state: string): Cell => ({ html: escapeText(state), class: classOf(state) })
const mark = (state: string): string => element('span', { class: classOf(state) }, escapeText(state))

function baselineWord(comparison: Comparison | undefined): Cell {
  if (comparison === undefined) return 'not compared'
  const has = (verdict: Verdict): boolean => comparison.figures.some(one => one.verdict === verdict)
  return word((['regression', 'improvement', 'changed', 'same'] as const).find(has) ?? 'unknown')
}
