/**
 * Results of earlier runs, in one JSON file that can be committed. Runs are kept apart by scenario, topology, driver and
 * machine, since nothing that was measured on one says anything about another. A file looks so:
 *
 *     {"format":1,"runs":[{"scenario":"flash-crowd","topology":"mesh","driver":"netns","machine":"…","startedAt":"…","figures":{…}}]}
 */
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { arch, availableParallelism, cpus } from 'node:os'
import { CatalogError } from '../../base/index.ts'
import type { Figure, ScenarioResult } from '../scenarios/result.ts'

const FORMAT = 1
/** Of one kind, the newest: enough for a median and a spread, and few enough that a slow drift is still a drift. */
const MAX_RUNS_KEPT = 20

/** Runs that may be compared with each other agree in all of this. */
export interface RunKey {
  readonly scenario: string
  readonly topology: string
  readonly driver: string
  readonly machine: string
}

export interface BaselineRun extends RunKey {
  /** RFC 3339. */
  readonly startedAt: string
  readonly figures: Readonly<Record<string, Figure>>
}

/** The figures of many runs; a value, which `with` makes anew. */
export class Baseline {
  readonly #runs: readonly BaselineRun[]

  /** The oldest first. */
  constructor(runs: readonly BaselineRun[] = []) {
    this.#runs = runs
  }

  /** Empty when there is no such file. FORMAT_INVALID for what is no baseline. */
  static read(path: string): Baseline {
    return existsSync(path) ? Baseline.parse(readFileSync(path, 'utf8'), path) : new Baseline()
  }

  /** `source` is what the text is called in errors. */
  static parse(text: string, source: string): Baseline {
    let document: { format?: unknown; runs?: unknown }
    try {
      document = JSON.parse(text)
    } catch (cause) {
      throw new CatalogError('FORMAT_INVALID', `${source} is no JSON`, { cause })
    }
    if (document?.format !== FORMAT)
      throw new CatalogError('FORMAT_INVALID', `${source} is no baseline of format ${FORMAT}`)
    if (!Array.isArray(document.runs) || !document.runs.every(isRun))
      throw new CatalogError('FORMAT_INVALID', `${source} has runs that are none`)
    return new Baseline(document.runs)
  }

  /** Runs of that kind, the oldest first. */
  runsOf(key: RunKey): BaselineRun[] {
    return this.#runs.filter(run => isSame(run, key))
  }

  /** With one run more; the oldest of its kind go when there are too many. */
  with(run: BaselineRun): Baseline {
    const same = [...this.runsOf(run), run].slice(-MAX_RUNS_KEPT)
    return new Baseline([...this.#runs.filter(other => !isSame(other, run)), ...same])
  }

  /** Whole or not at all. One run a line, so that a difference of two versions of the file is a list of runs. */
  write(path: string): void {
    const runs = this.#runs.map(run => `  ${JSON.stringify(run)}`).join(',\n')
    writeFileSync(`${path}.new`, `{"format":${FORMAT},"runs":[\n${runs}\n]}\n`)
    renameSync(`${path}.new`, path)
  }
}

/** What a baseline keeps of a result. */
export function runOf(
  { scenario, topology, driver, startedAt, figures }: ScenarioResult,
  machine: string
): BaselineRun {
  return { scenario, topology, driver, machine, startedAt, figures }
}

/** What makes figures of this machine comparable: processor, how many of it, platform and the release line of Node. */
export function machineName(): string {
  const model = cpus()[0]?.model.trim().replace(/\s+/g, ' ') ?? 'unknown processor'
  const [node] = process.versions.node.split('.')
  return `${availableParallelism()} x ${model}, ${process.platform} ${arch()}, Node ${node}`
}

const KEYS = ['scenario', 'topology', 'driver', 'machine'] as const satisfies ReadonlyArray<keyof RunKey>

const isSame = (a: RunKey, b: RunKey): boolean => KEYS.every(key => a[key] === b[key])

function isRun(value: unknown): value is BaselineRun {
  if (typeof value !== 'object' || value === null) return false
  const run = value as Record<string, unknown>
  if (![...KEYS, 'startedAt'].every(key => typeof run[key] === 'string')) return false
  if (typeof run.figures !== 'object' || run.figures === null) return false
  return Object.values(run.figures).every(isFigure)
}

function isFigure(value: unknown): value is Figure {
  const figure = value as Figure | null
  return (
    typeof figure === 'object' &&
    ['ms', 'bytes', 'count'].includes(figure?.unit as string) &&
    [figure?.count, figure?.p50, figure?.p95, figure?.p99].every(Number.isFinite)
  )
}
