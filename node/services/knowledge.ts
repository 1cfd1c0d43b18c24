/**
 * What a node knows of one name: its releases and what is said of them, as they are here and as peers tell. Joining the two is the rule of
 * every set of records (larger sequence, then larger hash), so who was asked first does not matter.
 *
 * What peers tell is kept only of releases that are here: newer words and newer statuses. So a node passes a yank on, and nobody can
 * fill its disk with what is said of releases that nobody has.
 */
import { type Logger, toCatalogError } from '../../base/index.ts'
import {
  type Registry,
  type Release,
  type ReleaseRecord,
  releaseKey,
  StatementSet,
  supersedes
} from '../../library/index.ts'
import type { Found } from './lookup.ts'

export interface Knowledge {
  /** The newest record of each release. */
  readonly records: readonly ReleaseRecord[]
  readonly statements: StatementSet
}

export interface KeepingModules {
  registry: Registry
  logger: Logger
}

/** What is here of a name: of its MAX_VERSIONS highest versions. */
export async function knownHere(
  registry: Pick<Registry, 'versions' | 'status'>,
  name: string,
  signal: AbortSignal
): Promise<Knowledge> {
  const records = await registry.versions(name, signal)
  return {
    records,
    statements: new StatementSet(records.flatMap(({ release }) => registry.status(release) ?? []))
  }
}

/** The same together with what peers told. */
export function withFound(here: Knowledge, found: Pick<Found, 'records' | 'statements'>): Knowledge {
  const newest = new Map<string, ReleaseRecord>()
  for (const record of [...here.records, ...found.records]) {
    const key = textOf(releaseKey(record.release))
    const known = newest.get(key)
    if (known === undefined || supersedes(record, known)) newest.set(key, record)
  }
  const statements = new StatementSet([...here.statements, ...found.statements])
  return { records: [...newest.values()], statements }
}

/** Stores newer words and statuses of releases that are here. What cannot be stored is logged, and told again at the next look-up. */
export async function keepNews(
  modules: KeepingModules,
  here: Knowledge,
  found: Pick<Found, 'records' | 'statements'>,
  signal: AbortSignal
): Promise<void> {
  const { registry } = modules
  const known = new Map(here.records.map(record => [textOf(releaseKey(record.release)), record]))
  for (const record of withFound(here, found).records) {
    const old = known.get(textOf(releaseKey(record.release)))
    if (old === undefined || !supersedes(record, old)) continue
    await keep(modules, record.release.name, () => registry.add(record.bytes, signal), signal)
  }
  const told = new StatementSet(found.statements)
  for (const { release } of here.records) await keepSaid(modules, release, told, signal)
}

/** Stores what was told of a release that is here and is newer than what is said of it here. */
export async function keepSaid(
  modules: KeepingModules,
  release: Release,
  told: StatementSet,
  signal: AbortSignal
): Promise<void> {
  const { registry } = modules
  const statuses = told.about(release).filter(({ kind }) => kind === 'status')
  for (const statement of statuses) {
    const known = registry.status(release)
    if (known !== undefined && !supersedes(statement, known)) continue
    await keep(modules, release.name, () => registry.addStatement(statement.bytes, signal), signal)
  }
}

async function keep(
  { logger }: KeepingModules,
  name: string,
  store: () => Promise<unknown>,
  signal: AbortSignal
): Promise<void> {
  try {
    await store()
  } catch (thrown) {
    signal.throwIfAborted()
    logger.warn({ name, code: toCatalogError(thrown).code }, 'what a peer told of a release was not kept')
  }
}

const textOf = (key: Uint8Array): string => Buffer.from(key).toString('latin1')
