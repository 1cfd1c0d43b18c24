/** What is watched for anomalies: a fixed number of series, each with its scale and the words for it. */
import { displayDuration } from '../../base/index.ts'
import type { Scale } from './detector.ts'
import { durations, failures, ratios } from './scales.ts'

interface SeriesRule {
  readonly scale: Scale
  /** What is other than usual: "fetches take". */
  readonly words: string
  /** A value in words. */
  readonly show: (value: number) => string
}

const share = (value: number): string => `${Math.round(100 * value)} %`
const ms = (value: number): string => displayDuration(Math.round(value))
const times = (value: number): string => `${value.toFixed(1)} times the usual`

/** Below it nobody waits. */
const API_LEAST_MS = 20
const OPERATION_LEAST_MS = 500

const operation = (kind: string, plural: string) =>
  ({
    [`${kind}-duration`]: { scale: durations(OPERATION_LEAST_MS), words: `${plural} take`, show: ms },
    [`${kind}-failures`]: { scale: failures, words: `${plural} that fail are`, show: share }
  }) as Record<string, SeriesRule>

export const SERIES: Readonly<Record<string, SeriesRule>> = {
  'round-trips': { scale: ratios, words: 'round trips to peers take', show: times },
  'peer-failures': { scale: failures, words: 'questions to peers that fail are', show: share },
  'api-duration': { scale: durations(API_LEAST_MS), words: 'requests of the admin API take', show: ms },
  'api-failures': { scale: failures, words: 'requests of the admin API that fail are', show: share },
  ...operation('publish', 'publishes'),
  ...operation('fetch', 'fetches'),
  ...operation('sync', 'syncs'),
  ...operation('verify', 'verifications')
}
