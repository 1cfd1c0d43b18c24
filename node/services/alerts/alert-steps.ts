/** From what is seen of a node now and then to alerts that are raised once and cleared once. Pure. */
import { MINUTE_MS } from '../../../base/index.ts'
import { ALERT_KINDS, ALERT_RULES, type AlertKind, type AlertState, type Sign } from './rules.ts'

/** Signs of one kind that are followed: with more libraries or peers in trouble the first of them say enough. */
const MAX_ABOUT = 32
/** What is well must stay so for this long before an alert is cleared: a peer that comes and goes raises one alert. */
export const CLEAR_AFTER_MS = MINUTE_MS

/** Something that is not well, or was a moment ago. */
export interface Trouble {
  readonly kind: AlertKind
  readonly about?: string
  readonly message: string
  /** Monotonic: since when it is bad enough; undefined while it never was. */
  readonly badMs: number | undefined
  /** Since when there is no sign of it; undefined while there is. */
  readonly wellMs: number | undefined
  /** When the alert was raised; undefined before. */
  readonly raisedMs: number | undefined
}

export interface AlertStep {
  readonly troubles: readonly Trouble[]
  readonly raised: readonly Trouble[]
  readonly cleared: readonly Trouble[]
}

export function nextStep(before: readonly Trouble[], state: AlertState, nowMs: number): AlertStep {
  const known = new Map(before.map(trouble => [keyOf(trouble), trouble]))
  const seen = ALERT_KINDS.flatMap(kind => signsOf(kind, state, known).map(sign => ({ kind, sign })))
  const found = seen.map(({ kind, sign }) => stepOf(kind, sign, known.get(keyOf({ kind, ...sign })), nowMs))
  const foundKeys = new Set(found.map(keyOf))
  // Before it was raised there is nothing to clear.
  const gone = before
    .filter(trouble => !foundKeys.has(keyOf(trouble)) && trouble.raisedMs !== undefined)
    .map(trouble => ({ ...trouble, wellMs: trouble.wellMs ?? nowMs }))
  const isCleared = ({ wellMs }: Trouble): boolean => nowMs - wellMs! >= CLEAR_AFTER_MS
  return {
    troubles: [...found, ...gone.filter(trouble => !isCleared(trouble))],
    raised: found.filter(({ raisedMs }) => raisedMs === nowMs),
    cleared: gone.filter(isCleared)
  }
}

function stepOf(kind: AlertKind, sign: Sign, known: Trouble | undefined, nowMs: number): Trouble {
  const { about, isBad, message } = sign
  const badMs = isBad || known?.raisedMs !== undefined ? (known?.badMs ?? nowMs) : undefined
  const isDue = badMs !== undefined && nowMs - badMs >= ALERT_RULES[kind].afterMs
  const raisedMs = known?.raisedMs ?? (isDue ? nowMs : undefined)
  return { kind, ...(about === undefined ? {} : { about }), message, badMs, wellMs: undefined, raisedMs }
}

/** Those that are followed already first, so that many others do not clear them. */
function signsOf(kind: AlertKind, state: AlertState, known: ReadonlyMap<string, Trouble>): readonly Sign[] {
  const signs = ALERT_RULES[kind].look(state)
  if (signs.length <= MAX_ABOUT) return signs
  const rank = (sign: Sign): number => (known.has(keyOf({ kind, ...sign })) ? 0 : 1)
  return signs.toSorted((a, b) => rank(a) - rank(b)).slice(0, MAX_ABOUT)
}

const keyOf = ({ kind, about = '' }: { kind: AlertKind; about?: string }): string => `${kind} ${about}`
