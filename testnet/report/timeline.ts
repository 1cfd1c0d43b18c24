/** When steps ran and faults held, as a drawing. All that it shows stands in the tables as well. */
import { displayDuration } from '../../base/index.ts'
import type { ScenarioResult } from '../scenarios/result.ts'
import { element, escapeText } from './markup.ts'

const WIDTH = 1000
/** Left of the bars. */
const LABELS = 260
const ROW = 20
const BAR = 12
/** So that what was short is seen. */
const LEAST_BAR = 2
/** Of a label; longer ones end with an ellipsis. */
const LABEL_CHARACTERS = 36

interface Bar {
  readonly label: string
  readonly kind: 'step' | 'fault'
  readonly fromMs: number
  readonly toMs: number
}

/** Empty when there is nothing to draw. `labelledBy` is the id of its heading. */
export function timelineOf(result: ScenarioResult, labelledBy: string): string {
  const bars = barsOf(result)
  if (bars.length === 0) return ''
  const lastMs = Math.max(1, ...bars.map(({ toMs }) => toMs))
  const x = (ms: number): number => Math.round(LABELS + (ms / lastMs) * (WIDTH - LABELS))
  const rows = bars.map(({ label, kind, fromMs, toMs }, at) => {
    const y = at * ROW
    const width = Math.max(LEAST_BAR, x(toMs) - x(fromMs))
    return (
      element('text', { x: 0, y: y + BAR }, escapeText(shortened(label))) +
      element('rect', {
        class: kind,
        x: Math.min(x(fromMs), WIDTH - LEAST_BAR),
        y: y + 2,
        width,
        height: BAR
      })
    )
  })
  const bottom = bars.length * ROW
  const axis = [
    element('line', { class: 'axis', x1: LABELS, x2: WIDTH, y1: bottom, y2: bottom }),
    element('text', { x: LABELS, y: bottom + 16 }, '0'),
    element('text', { x: WIDTH, y: bottom + 16, 'text-anchor': 'end' }, escapeText(displayDuration(lastMs)))
  ]
  return element(
    'svg',
    { viewBox: `0 0 ${WIDTH} ${bottom + ROW}`, role: 'img', 'aria-labelledby': labelledBy },
    [...rows, ...axis]
  )
}

/** Steps follow each other without a gap; a fault that was not taken back holds to the end. */
function barsOf({ steps, faults, tookMs }: ScenarioResult): Bar[] {
  let atMs = 0
  const done = steps
    .filter(({ state }) => state !== 'skipped')
    .map(({ name, tookMs: stepMs }): Bar => {
      const fromMs = atMs
      atMs += stepMs
      return { label: name, kind: 'step', fromMs, toMs: atMs }
    })
  const held = faults.map(
    ({ kind, appliedAtMs, revertedAtMs = tookMs }): Bar => ({
      label: kind,
      kind: 'fault',
      fromMs: appliedAtMs,
      toMs: Math.max(appliedAtMs, revertedAtMs)
    })
  )
  return [...done, ...held]
}

const shortened = (label: string): string =>
  label.length <= LABEL_CHARACTERS ? label : `${label.slice(0, LABEL_CHARACTERS - 1)}…`
