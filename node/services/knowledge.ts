/**
 * What a node knows of one name: its releases and what is said of them, as they are here and as peers tell. Joining the two is the rule of
 * every set of records (larger sequence, then larger hash), so who was asked first does not matter.
 *
 * What peers tell is kept only of releases that are here: newer words, newer statuses and what weighs. So a node passes a yank on, and nobody
 * can fill its disk with what is said of releases that nobody has. Claims that contradict each other are the exception.
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
import { bytesEqual } from '../../trust/index.ts'
import type { Blocking } from './blocking.ts'
import { conflictingClaims } from './claims.ts'
import type { ConflictPolicies } from './conflict-policies.ts'
import type { Found } from './lookup.ts'

export interface Knowledge {
  /** The newest record of each release. */
  readonly records: readonly ReleaseRecord[]
  readonly statements: StatementSet
}

export interface KeepingModules {
  registry: Registry
  policies: Pick<ConflictPolicies, 'weighs' | 'attestors'>
  blocking: Pick<Blocking, 'isBlocked'>
  logger: Logger
}

/** What is here of a name: of its MAX_VERSIONS highest versions. Attestations only where several owners claim it: they decide nothing else. */
export async function knownHere(
  { registry, policies }: Pick<KeepingModules, 'registry' | 'policies'>,
  name: string,
  signal: AbortSignal
): Promise<Knowledge> {
  const records = await registry.versions(name, signal)
  const [first] = records
  if (records.some(({ release }) => !bytesEqual(release.owner, first!.release.owner))) {
    const said = await Promise.all(
      records.map(({ release }) => registry.statements(release, signal, policies.attestors))
    )
    return { records, statements: new StatementSet(said.flat()) }
  }
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

/**
 * Stores newer words and what is newly said of releases that are here, and claims that contradict each other (claims.ts; `settled`: the
 * owner that is meant, if that is known); nothing that is blocked here. What cannot be stored is logged, and told again at the next look-up.
 */
export async function keepNews(
  modules: KeepingModules,
  here: Knowledge,
  found: Pick<Found, 'records' | 'statements'>,
  settled: Uint8Array | undefined,
  signal: AbortSignal
): Promise<void> {
  const { registry, blocking } = modules
  const known = new Map(here.records.map(record => [textOf(releaseKey(record.release)), record]))
  const all = withFound(here, found)
  const newer = all.records.filter(record => {
    const old = known.get(textOf(releaseKey(record.release)))
    return old !== undefined && supersedes(record, old)
  })
  const claims = conflictingClaims(all, here, settled)
  for (const { bytes, release } of [...newer, ...claims].filter(record => !blocking.isBlocked(record)))
    await keep(modules, release.name, () => registry.add(bytes, signal), signal)
  const told = new StatementSet(found.statements)
  for (const { release } of [...here.records, ...claims]) await keepSaid(modules, release, told, signal)
}

/** Stores what was told of a release that is here and is newer than what is said of it here: its status, and attestations that weigh something. */
export async function keepSaid(
  modules: KeepingModules,
  release: Release,
  told: StatementSet,
  signal: AbortSignal
): Promise<void> {
  const { registry, policies } = modules
  const counts = told
    .about(release)
    .filter(({ kind, signer }) => kind === 'status' || policies.weighs(signer))
  if (counts.length === 0) return
  const here = new StatementSet(await registry.statements(release, signal, policies.attestors))
  for (const statement of counts)
    if (here.add(statement))
      await keep(modules, release.name, () => registry.addStatement(statement.bytes, signal), signal)
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
