import { CatalogError, displayDuration, type ErrorCode, toCatalogError } from '../../base/index.ts'
import { parseSpec, StatementSet } from '../../library/index.ts'
import type { OperationManager } from '../operations.ts'
import type { Why } from '../schemas.ts'
import type { FetchFailure, FetchFailures, SourceFailed } from './fetch-failures.ts'
import { type Knowledge, knownHere, withFound } from './knowledge.ts'
import { type Found, lookUp } from './lookup.ts'
import type { PeerHealth, SkippedPeer } from './peer-health.ts'
import type { ReleaseAccess } from './release-access.ts'
import { releaseItem } from './release-shapes.ts'
import { type ResolvingModules, ruleFor, selectAllowed } from './resolving.ts'
import type { WhyService } from './types.ts'

export interface WhyModules extends ResolvingModules {
  operations: OperationManager
  failures: FetchFailures
  health: PeerHealth
  access: Pick<ReleaseAccess, 'of'>
}

const NOTHING_KNOWN: Knowledge = { records: [], statements: new StatementSet() }

/** Explains what the node knows of a release, by asking the same questions a fetch would, and reporting every answer. */
export function createWhy(modules: WhyModules): WhyService {
  const { registry, content, operations, failures, health, access, blocking } = modules

  async function why(text: string, signal: AbortSignal): Promise<Why> {
    const spec = parseSpec(text)
    const known = spec.kind === 'id' ? registry.get(spec.id) : undefined
    const name = spec.kind === 'id' ? known?.release.name : spec.name
    const reasons: string[] = []
    const here = await localKnowledge(name, signal)
    let problem: ErrorCode | undefined =
      spec.kind === 'id' && known === undefined ? 'RELEASE_NOT_FOUND' : undefined
    const found = name === undefined ? undefined : await lookUpOrReason(name, reasons, signal)
    const all = joined(here, found)
    const chosen = known ?? chosenOf()
    const past = failures.of(name ?? text)
    // A record that was asked for by its id before its name was known.
    if (chosen !== undefined) past.releases.push(...failures.of(chosen.id.toString()).releases)
    const skipped = health.skipped()
    reasons.push(...reasonsOf(past, skipped, name ?? text))
    return {
      spec: text,
      name: name ?? null,
      releases: await Promise.all(
        all.records.map(async record =>
          releaseItem(record, content, {
            status: all.statements.statusOf(record.release),
            access: await access.of(record),
            isBlocked: blocking.isBlocked(record)
          })
        )
      ),
      holders: holderShapes(found),
      ...lastFetchOf(name),
      failures: past.releases,
      sourceFailures: past.sources,
      skipped,
      local: chosen === undefined ? 'none' : content.localState(chosen.release.content),
      ...(problem === undefined ? {} : { problem }),
      reasons
    }

    function chosenOf() {
      if (spec.kind === 'id') return undefined
      try {
        const record = selectAllowed(modules, all, spec, ruleFor(modules, spec.name))
        reasons.push(`${text} means ${record.release.name}@${record.release.version} (${record.id})`)
        return record
      } catch (thrown) {
        const { code, message } = toCatalogError(thrown)
        // Where there is nothing to choose from, why that is matters more.
        problem = all.records.length === 0 && found instanceof CatalogError ? found.code : code
        reasons.push(`${code}: ${message}`)
        return undefined
      }
    }
  }

  async function localKnowledge(name: string | undefined, signal: AbortSignal): Promise<Knowledge> {
    return name === undefined ? NOTHING_KNOWN : await knownHere(modules, name, signal)
  }

  async function lookUpOrReason(
    name: string,
    reasons: string[],
    signal: AbortSignal
  ): Promise<Found | CatalogError> {
    try {
      const found = await lookUp(modules, { name }, signal)
      for (const { holder, error } of found.failures)
        reasons.push(`${holder.peerId} claims to hold ${name} and failed: ${error.code}: ${error.message}`)
      return found
    } catch (thrown) {
      signal.throwIfAborted()
      const error = toCatalogError(thrown)
      reasons.push(`${error.code}: ${error.message}`)
      const { asked = [] } = (error.details ?? {}) as LookupFailure
      for (const { peerId, code } of asked)
        reasons.push(`${peerId} claims to hold ${name} and failed: ${code}`)
      return error
    }
  }

  function lastFetchOf(name: string | undefined): Pick<Why, 'lastFetch'> {
    const last = operations
      .list()
      .filter(operation => operation.kind === 'fetch' && operation.result?.name === name)
      .sort((a, b) => (a.startedAt < b.startedAt ? 1 : -1))[0]
    return last === undefined ? {} : { lastFetch: last }
  }

  return { why }
}

/** Details of a look-up that failed: who claimed to hold the name. */
interface LookupFailure {
  asked?: Array<{ peerId: string; code: string }>
}

/** Past failures and peers that are left alone, in words. */
function reasonsOf(
  past: { releases: FetchFailure[]; sources: SourceFailed[] },
  skipped: readonly SkippedPeer[],
  name: string
): string[] {
  const release = (version?: string): string => (version === undefined ? name : `${name}@${version}`)
  return [
    ...past.releases.map(
      ({ version, code, message, ageMs }) =>
        `a fetch of ${release(version)} failed ${displayDuration(ageMs)} ago: ${code}: ${message}`
    ),
    ...past.sources.map(
      ({ peerId, version, code, message, ageMs }) =>
        `${peerId} failed as a source of ${release(version)} ${displayDuration(ageMs)} ago: ${code}: ${message}`
    ),
    ...skipped.map(
      ({ peerId, reason, forMs }) =>
        `${peerId} failed repeatedly and is left alone for ${displayDuration(forMs)}: ${reason}`
    )
  ]
}

function joined(here: Knowledge, found: Found | CatalogError | undefined): Knowledge {
  return found === undefined || found instanceof CatalogError ? here : withFound(here, found)
}

function holderShapes(found: Found | CatalogError | undefined): Why['holders'] {
  if (found === undefined || found instanceof CatalogError) return []
  const answered = found.holders.map(({ peerId, source, ageMs }) => ({
    peerId,
    source,
    ageMs,
    lastDial: 'answered'
  }))
  const failed = found.failures.map(({ holder: { peerId, source, ageMs }, error }) => ({
    peerId,
    source,
    ageMs,
    lastDial: 'failed',
    lastError: `${error.code}: ${error.message}`
  }))
  return [...answered, ...failed]
}
