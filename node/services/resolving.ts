/**
 * From what a user wrote to one release record and those who hold it. What is here is used where it suffices; the network is asked
 * when it may know better: another version in a range, or the content that is not here.
 */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import {
  type ContentStore,
  parseId,
  parseSpec,
  type Registry,
  type ReleaseRecord,
  type Spec,
  StatementSet,
  specMatches
} from '../../library/index.ts'
import { bytesEqual, parsePublicKey } from '../../trust/index.ts'
import type { Blocking } from './blocking.ts'
import { expectConfirmed } from './closed-names.ts'
import type { ConflictPolicies } from './conflict-policies.ts'
import { type Knowledge, keepNews, knownHere, withFound } from './knowledge.ts'
import {
  type Found,
  holdersOf,
  type LookupModules,
  type LookupRequest,
  lookUp,
  type ReleaseHolder
} from './lookup.ts'
import { lookUpRecord } from './lookup-record.ts'
import { type NamedSpec, type OwnerRule, selectRelease } from './selection.ts'

export interface Resolved {
  record: ReleaseRecord
  /** All that is known of its name, or of it alone where it was named by its id. */
  known: Knowledge
  /** Peers that said they hold its content; empty when nobody was asked. */
  holders: ReleaseHolder[]
  /** Whether it is known from closed libraries only. It stays so for who works with it, also when it has left the last of them meanwhile. */
  isClosed: boolean
}

export interface ResolveRequest {
  spec: string
  publisher?: string
  /** CID of the one content that is meant, as a lock file says. */
  content?: string
  /** Whether the network may be asked. */
  network: boolean
  /** Whether it is enough that several owners publish the same content: to be shown, not to be taken. */
  shows?: boolean
  /** Whether it is to be asked also for an exact version that is whole here, for newer words and statuses. */
  news?: boolean
}

export interface ResolvingModules extends LookupModules {
  blocking: Pick<Blocking, 'isBlocked' | 'expectAllowed' | 'expectSomeAllowed'>
  registry: Registry
  content: ContentStore
  policies: ConflictPolicies
}

/** What a look-up brought, or why it brought nothing. */
interface FoundOrFailed extends Pick<Found, 'records' | 'statements' | 'holders'> {
  failure?: CatalogError
}

/** Throws as `selectRelease`, and the errors of the look-up when nothing suitable is here. */
export async function resolveRelease(
  modules: ResolvingModules,
  request: ResolveRequest,
  signal: AbortSignal
): Promise<Resolved> {
  const spec = parseSpec(request.spec)
  const publisher = request.publisher === undefined ? undefined : parsePublicKey(request.publisher)
  if (spec.kind === 'id') return await resolveId(modules, spec, request, signal)
  modules.blocking.expectSomeAllowed(spec, publisher)
  const rule = ruleFor(modules, spec.name)
  if (request.shows === true) rule.shows = true
  if (publisher !== undefined) rule.publisher = publisher
  if (request.content !== undefined) rule.content = parseId(request.content)
  const all = await knownHere(modules, spec.name, signal)
  const here = allowed(modules, all)
  const settled = request.news === true ? undefined : settledHere(modules, here, spec, rule)
  if (settled !== undefined || !request.network) {
    const record = settled ?? selectAllowed(modules, all, spec, rule)
    if (!isClosed(modules, record, here)) return { record, known: here, holders: [], isClosed: false }
    return await closed(modules, { record, known: here }, rule, signal)
  }
  const told = await findOrLocal(modules, wantedOf(spec, rule), here, signal)
  const found = allowed(modules, told)
  await keepNews(modules, here, found, rule.publisher ?? rule.pin, signal)
  const known = withFound(here, found)
  const record = selectFound(modules, withFound(all, told), spec, rule, found.failure)
  // Who has the same content from elsewhere is none of those who may be asked for what is closed.
  if (isClosed(modules, record, here)) return await closed(modules, { record, known }, rule, signal)
  return { record, known, holders: holdersOf(found.holders, record), isClosed: false }
}

/** Whose it is must have been said here, unless it is only shown. */
async function closed(
  { registry }: ResolvingModules,
  { record, known }: Pick<Resolved, 'record' | 'known'>,
  { publisher, pin, shows }: OwnerRule,
  signal: AbortSignal
): Promise<Resolved> {
  const isSaid = publisher !== undefined || pin !== undefined || shows === true
  if (!isSaid) await expectConfirmed(registry, record, signal)
  return { record, known, holders: [], isClosed: true }
}

/** A record that was here a moment ago and is not any more has left with a closed library, for all that is known. */
function isClosed({ registry }: ResolvingModules, record: ReleaseRecord, here: Knowledge): boolean {
  return registry.isClosed(record) || (here.records.includes(record) && registry.get(record.id) === undefined)
}

/** What counts here for a name, before a user names a publisher. */
export function ruleFor(
  { registry, content, policies }: Pick<ResolvingModules, 'registry' | 'content' | 'policies'>,
  name: string
): OwnerRule {
  const pin = registry.ownerPin(name)
  return {
    policy: policies.of(name),
    isPinned: release => content.isPinned(release),
    ...(pin === undefined ? {} : { pin })
  }
}

/** An exact version of a settled owner that is complete here: it can be used without anybody else. */
function settledHere(
  { content }: ResolvingModules,
  here: Knowledge,
  spec: NamedSpec,
  rule: OwnerRule
): ReleaseRecord | undefined {
  const owner = rule.publisher ?? rule.pin
  if (spec.kind !== 'range' || !spec.exact || owner === undefined) return undefined
  const isMeant = ({ release }: ReleaseRecord): boolean =>
    release.version === spec.range &&
    bytesEqual(release.owner, owner) &&
    (rule.content === undefined || release.content.equals(rule.content))
  if (!here.records.some(isMeant)) return undefined
  const record = selectRelease(here, spec, rule)
  return content.localState(record.release.content) === 'complete' ? record : undefined
}

function wantedOf(spec: NamedSpec, { publisher, pin }: OwnerRule): LookupRequest {
  const owner = publisher ?? pin
  const { name } = spec
  const settlesOwner = owner === undefined
  if (spec.kind === 'any') return { name, settlesOwner }
  return {
    name,
    settlesOwner,
    ...(spec.exact ? { version: spec.range } : { range: spec.range }),
    ...(owner === undefined ? {} : { owner })
  }
}

/** A failed look-up does not matter while something suitable is here: local first, also without a network. */
async function findOrLocal(
  modules: ResolvingModules,
  wanted: LookupRequest,
  here: Knowledge,
  signal: AbortSignal
): Promise<FoundOrFailed> {
  try {
    return await lookUp(modules, wanted, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    const failure = toCatalogError(thrown)
    if (here.records.length === 0) throw failure
    modules.logger.debug({ name: wanted.name, code: failure.code }, 'look-up failed, using what is here')
    return { records: [], statements: [], holders: [], failure }
  }
}

/** Of what is known, what is not blocked here. */
function allowed<K extends { readonly records: readonly ReleaseRecord[] }>(
  { blocking }: Pick<ResolvingModules, 'blocking'>,
  known: K
): K {
  return { ...known, records: known.records.filter(record => !blocking.isBlocked(record)) }
}

/** As `selectRelease`, of what is not blocked here; RELEASE_BLOCKED when all that suits is. */
export function selectAllowed(
  { blocking }: Pick<ResolvingModules, 'blocking'>,
  all: Knowledge,
  spec: NamedSpec,
  rule: OwnerRule
): ReleaseRecord {
  const known = allowed({ blocking }, all)
  try {
    return selectRelease(known, spec, rule)
  } catch (thrown) {
    if (all.records.length > known.records.length && toCatalogError(thrown).code === 'RELEASE_NOT_FOUND')
      for (const record of all.records)
        if (specMatches(spec, record.release.version)) blocking.expectAllowed(record)
    throw thrown
  }
}

/** That nothing here suits is no answer while those who may have it could not be asked: then their error is the answer. */
function selectFound(
  modules: ResolvingModules,
  all: Knowledge,
  spec: NamedSpec,
  rule: OwnerRule,
  failure: CatalogError | undefined
): ReleaseRecord {
  try {
    return selectAllowed(modules, all, spec, rule)
  } catch (thrown) {
    const notHere = toCatalogError(thrown)
    if (failure === undefined || notHere.code !== 'RELEASE_NOT_FOUND') throw thrown
    throw all.records.length === 0 ? failure : withWhatIsHere(failure, notHere)
  }
}

/** Who has other versions of a name learns which, not only that nobody else could be asked for it. */
function withWhatIsHere(failure: CatalogError, notHere: CatalogError): CatalogError {
  return new CatalogError(failure.code, `${notHere.message} here; elsewhere ${failure.message}`, {
    hint: failure.hint,
    details: { ...failure.details, ...notHere.details },
    cause: failure
  })
}

/** By the id of a record: here, or with whoever has it. */
async function resolveId(
  modules: ResolvingModules,
  { id }: Extract<Spec, { kind: 'id' }>,
  request: ResolveRequest,
  signal: AbortSignal
): Promise<Resolved> {
  const { registry } = modules
  const local = registry.get(id)
  if (local !== undefined) {
    const statements = new StatementSet(await registry.statements(local.release, signal))
    const known = { records: [local], statements }
    return { record: local, known, holders: [], isClosed: isClosed(modules, local, known) }
  }
  if (!request.network)
    throw new CatalogError('RELEASE_NOT_FOUND', `no record ${id} is here`, { details: { id: id.toString() } })
  modules.blocking.expectSomeAllowed({ kind: 'id', id })
  const { record, statements, holder } = await lookUpRecord(modules, id, signal)
  const known = { records: [record], statements: new StatementSet(statements) }
  return { record, known, holders: [{ peerId: holder, record: record.id }], isClosed: false }
}
