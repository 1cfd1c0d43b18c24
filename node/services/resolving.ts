/**
 * From what a user wrote to one release record and those who hold it. What is here is used where it suffices; the network is asked
 * when it may know better: another version in a range, or the content that is not here.
 */
import { CatalogError, toCatalogError } from '../../base/index.ts'
import {
  type ContentStore,
  parseSpec,
  type Registry,
  type ReleaseRecord,
  type Spec
} from '../../library/index.ts'
import { parsePublicKey } from '../../trust/index.ts'
import { type Found, type LookupModules, type LookupRequest, lookUp } from './lookup.ts'
import { lookUpRecord } from './lookup-record.ts'
import { type NamedSpec, type OwnerRule, selectRelease } from './selection.ts'

export interface Resolved {
  record: ReleaseRecord
  /** Peers that said they hold this record; empty when nobody was asked. */
  holders: string[]
}

export interface ResolveRequest {
  spec: string
  publisher?: string
  /** Whether the network may be asked. */
  network: boolean
}

export interface ResolvingModules extends LookupModules {
  registry: Registry
  content: ContentStore
}

/** What a look-up brought, or why it brought nothing. */
interface FoundOrFailed extends Pick<Found, 'records' | 'holders'> {
  failure?: CatalogError
}

/** RELEASE_NOT_FOUND, OWNER_AMBIGUOUS, OWNER_CHANGED, and the errors of the look-up when nothing suitable is here. */
export async function resolveRelease(
  modules: ResolvingModules,
  request: ResolveRequest,
  signal: AbortSignal
): Promise<Resolved> {
  const spec = parseSpec(request.spec)
  if (spec.kind === 'id') return await resolveId(modules, spec, request, signal)
  const rule: OwnerRule = { pin: modules.registry.ownerPin(spec.name) }
  if (request.publisher !== undefined) rule.publisher = parsePublicKey(request.publisher)
  const local = await modules.registry.versions(spec.name, signal)
  const settled = settledHere(modules, local, spec, rule)
  if (settled !== undefined || !request.network)
    return { record: settled ?? selectRelease(local, spec, rule), holders: [] }
  const found = await findOrLocal(modules, wantedOf(spec, rule), local, signal)
  const record = selectFound([...local, ...found.records], spec, rule, found.failure)
  const id = record.id.toString()
  return { record, holders: found.holders.filter(holder => holder.ids.has(id)).map(holder => holder.peerId) }
}

/** An exact version of a settled owner that is complete here: nobody else could know better. */
function settledHere(
  { content }: ResolvingModules,
  local: readonly ReleaseRecord[],
  spec: NamedSpec,
  rule: OwnerRule
): ReleaseRecord | undefined {
  if (spec.kind !== 'range' || !spec.exact || (rule.publisher ?? rule.pin) === undefined) return undefined
  const same = local.filter(record => record.release.version === spec.range)
  if (same.length === 0) return undefined
  const record = selectRelease(local, spec, rule)
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
  local: readonly ReleaseRecord[],
  signal: AbortSignal
): Promise<FoundOrFailed> {
  try {
    return await lookUp(modules, wanted, signal)
  } catch (thrown) {
    signal.throwIfAborted()
    const failure = toCatalogError(thrown)
    if (local.length === 0) throw failure
    modules.logger.debug({ name: wanted.name, code: failure.code }, 'look-up failed, using what is here')
    return { records: [], holders: [], failure }
  }
}

/** That nothing here suits is no answer while those who may have it could not be asked: then their error is the answer. */
function selectFound(
  records: readonly ReleaseRecord[],
  spec: NamedSpec,
  rule: OwnerRule,
  failure: CatalogError | undefined
): ReleaseRecord {
  try {
    return selectRelease(records, spec, rule)
  } catch (thrown) {
    const notHere = toCatalogError(thrown)
    if (failure === undefined || notHere.code !== 'RELEASE_NOT_FOUND') throw thrown
    throw records.length === 0 ? failure : withWhatIsHere(failure, notHere)
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
  const local = modules.registry.get(id)
  if (local !== undefined) return { record: local, holders: [] }
  if (!request.network)
    throw new CatalogError('RELEASE_NOT_FOUND', `no record ${id} is here`, { details: { id: id.toString() } })
  const { record, holder } = await lookUpRecord(modules, id, signal)
  return { record, holders: [holder] }
}
