import { CatalogError, toCatalogError } from '../../base/index.ts'
import type { ContentStore, Registry, ReleaseRecord, VerifyReport } from '../../library/index.ts'
import type { LibrarySets } from '../../sync/index.ts'
import type { VerifyResult } from '../schemas.ts'
import { releaseName } from './release-shapes.ts'
import { type LocalModules, localRelease } from './retention.ts'
import type { FetchingService, VerificationService, WorkContext } from './types.ts'

/** Bad blocks that one report lists; a whole disk gone bad needs no longer list. */
const MAX_BAD = 1000
const PAGE = 200

/**
 * Hashes again what the store holds, and checks the trees of this node's libraries and of copies of others against their records. The records themselves need no
 * second check here: reading one from the registry verifies it.
 */
export function createVerification(
  modules: LocalModules & {
    fetching: FetchingService
    sets: Pick<LibrarySets, 'check' | 'rebuild' | 'copies'> & { access: Pick<LibrarySets['access'], 'own'> }
  }
): VerificationService {
  const { registry, content, fetching, sets } = modules

  /** Only its own wrong or missing blocks are asked for: they have left the index, all others are here. */
  async function repairOne(record: ReleaseRecord, context: WorkContext): Promise<Repaired> {
    const release = releaseName(record)
    try {
      await fetching.fetch({ spec: record.id.toString() }, context)
      const { ok } = await content.verify(record.release.content, context.signal)
      return { release, ok }
    } catch (thrown) {
      context.signal.throwIfAborted()
      return { release, ok: false, error: toCatalogError(thrown).code }
    }
  }

  /** A tree that was built anew is checked again: what is left is wrong with the records themselves. */
  async function verifyTree(library: string, repair: boolean, context: WorkContext): Promise<VerifiedTree> {
    const { signal, progress } = context
    progress({ phase: `checking the tree of ${library}` })
    const { ok, root, records, nodes, problems, problemCount } = await sets.check(library, signal)
    const found = { library, ok, root, records, nodes, problems, problemCount, rebuilt: false }
    if (ok || !repair) return found
    progress({ phase: `building the tree of ${library}` })
    await sets.rebuild(library, signal)
    const after = await sets.check(library, signal)
    return {
      ...found,
      ok: after.ok,
      root: after.root,
      records: after.records,
      nodes: after.nodes,
      rebuilt: true
    }
  }

  async function verifyContents(
    spec: string | undefined,
    repair: boolean,
    context: WorkContext
  ): Promise<VerifyResult> {
    const { signal, progress } = context
    const damaged: ReleaseRecord[] = []
    const total: VerifyResult = {
      ok: true,
      checked: 0,
      bytes: 0,
      missing: 0,
      corrupt: 0,
      bad: [],
      partial: [],
      repaired: [],
      trees: []
    }
    const seen = new Set<string>()
    const releases =
      spec === undefined ? allReleases(registry, signal) : [await localRelease(modules, spec, signal)]
    for await (const record of releases) {
      const cid = record.release.content.toString()
      // Before the walk: a content in which it finds damage does not count as complete any more.
      const state = content.localState(record.release.content)
      const isKept = content.isKept(record.release.content)
      const isHere = state !== 'none' || isKept
      if (!isHere && spec !== undefined) throw nothingHere(record)
      if (seen.has(cid) || !isHere) continue
      seen.add(cid)
      progress({ phase: `verifying ${releaseName(record)}`, bytesDone: total.bytes, itemsDone: seen.size })
      const report = await content.verify(record.release.content, signal).catch((error: unknown) => {
        if (spec === undefined && isPublishersFault(content, record, error)) return NOTHING_HELD
        throw error
      })
      if (addReport(total, releaseName(record), report, state === 'partial' && !isKept)) damaged.push(record)
    }
    total.ok = total.missing + total.corrupt === 0
    if (!repair) return total
    for (const record of damaged) {
      progress({
        phase: `repairing ${releaseName(record)}`,
        bytesDone: total.bytes,
        itemsDone: total.repaired.length
      })
      total.repaired.push(await repairOne(record, context))
    }
    total.ok = total.repaired.every(({ ok }) => ok)
    return total
  }

  async function verify(
    spec: string | undefined,
    repair: boolean,
    context: WorkContext
  ): Promise<VerifyResult> {
    const contents = await verifyContents(spec, repair, context)
    if (spec !== undefined) return contents
    const trees: VerifiedTree[] = []
    const own = (await sets.access.own(context.signal)).map(({ libraryId }) => libraryId)
    for (const library of [...own, ...(await sets.copies(context.signal))])
      trees.push(await verifyTree(library, repair, context))
    return { ...contents, ok: contents.ok && trees.every(({ ok }) => ok), trees }
  }
  return { verify }
}

function nothingHere(record: ReleaseRecord): CatalogError {
  return new CatalogError('CONTENT_MISSING', `nothing of ${releaseName(record)} is stored here`)
}

/** Adds what a walk found of one release; true when that has damage. What a fetch has not brought yet is none. */
function addReport(total: VerifyResult, release: string, report: VerifyReport, isPartial: boolean): boolean {
  total.checked += report.checked
  total.bytes += report.bytes
  total.corrupt += report.corrupt
  if (isPartial)
    total.partial.push({
      release,
      blocks: report.checked,
      blocksKnown: report.checked + report.missing + report.corrupt
    })
  else total.missing += report.missing
  const wrong = isPartial ? report.bad.filter(({ reason }) => reason === 'corrupt') : report.bad
  const bad = wrong.map(block => ({ release, ...block }))
  total.bad.push(...bad.slice(0, MAX_BAD - total.bad.length))
  return wrong.length > 0
}

type Repaired = VerifyResult['repaired'][number]
type VerifiedTree = VerifyResult['trees'][number]

const NOTHING_HELD: VerifyReport = { ok: true, checked: 0, bytes: 0, missing: 0, corrupt: 0, bad: [] }

/** A content that never became whole, because it makes no sense: no disk is to blame, and the others want to be looked at. */
function isPublishersFault(content: ContentStore, { release }: ReleaseRecord, error: unknown): boolean {
  const { code } = toCatalogError(error)
  const isSenseless = code === 'CONTENT_INVALID' || code === 'PATH_REFUSED'
  return isSenseless && content.localState(release.content) !== 'complete'
}

/** Every release this node knows, page by page. */
export async function* allReleases(registry: Registry, signal: AbortSignal): AsyncGenerator<ReleaseRecord> {
  let after: string | undefined
  do {
    const page = await registry.list({ limit: PAGE, signal, ...(after === undefined ? {} : { after }) })
    yield* page.releases
    after = page.next
  } while (after !== undefined)
}
