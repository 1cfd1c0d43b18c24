import { CatalogError, displayDuration, displaySize, withSpan } from '../../base/index.ts'
import {
  type InstalledPackage,
  InstallTarget,
  type LockedPackage,
  type LockFile,
  type PackageToInstall
} from '../../library/index.ts'
import type { FetchResult } from '../client/types.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { plural, printable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { fetchRelease } from './fetch.ts'

interface Options {
  to?: string
  frozen?: boolean
  publisher?: string
}

/** Dependencies of these kinds are needed where a package is used. */
const NEEDED_KINDS = new Set(['required', 'peer'])
/** Unresolved dependencies that the text names, one per line; --json names all. */
const MAX_UNRESOLVED_LINES = 20

/** A dependency that the release `by` needs and this install did not bring. */
interface Unresolved {
  name: string
  range: string
  kind: string
  by: string
}

/** A name that another owner published when it was installed here before, in this folder or on this node. */
interface OwnerChange {
  name: string
  from: string
  to: string
}

export const run = defineCommand((context, [specs]: [string[]], options: Options) =>
  withSpan('install', { specs }, () => install(context, specs, options))
)

async function install(context: Context, specs: string[], options: Options): Promise<void> {
  const startedMs = performance.now()
  const folder = targetFolder(context, specs, options)
  const target = InstallTarget.open(folder)
  try {
    const lockedBefore: LockFile | undefined = options.frozen === true ? undefined : target.readLock()
    const releases =
      options.frozen === true
        ? await fetchLocked(context, target)
        : await fetchNamed(context, specs, options, lockedBefore)
    for (const release of releases) await stage(context, target, release)
    const changes = await pinOwners(context, releases, options, lockedBefore)
    const installed = target.commit({ exact: options.frozen === true })
    showResult(context, target.root, installed, releases, changes, performance.now() - startedMs)
  } finally {
    target.close()
  }
}

function targetFolder(context: Context, specs: string[], options: Options): string {
  const usage = (message: string, hint: string): CatalogError =>
    new CatalogError('INVALID_ARGUMENT', message, { hint })
  if (options.to === undefined) throw usage('install needs a folder to install into', 'give --to DIR')
  if (options.frozen === true && specs.length > 0)
    throw usage(
      '--frozen installs what the lock file says, so it takes no names',
      'leave out the names, or --frozen'
    )
  if (options.frozen !== true && specs.length === 0)
    throw usage(
      'install needs at least one release',
      'give a name, or --frozen to install what the lock file says'
    )
  return resolvePath(context, options.to)
}

async function fetchNamed(
  context: Context,
  specs: string[],
  options: Options,
  lockedBefore: LockFile | undefined
): Promise<FetchResult[]> {
  const byName = new Map<string, FetchResult>()
  for (const spec of specs) {
    const release = await fetchRelease(context, { spec, publisher: options.publisher })
    if (options.publisher === undefined) {
      await checkPin(context, release)
      checkOwnerInFolder(release, lockedBefore?.get(release.name))
    }
    const before = byName.get(release.name)
    if (before !== undefined && before.id !== release.id) {
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `${release.name} was asked for twice, as ${before.version} and as ${release.version}`,
        { hint: 'a folder holds one version of a name' }
      )
    }
    byName.set(release.name, release)
  }
  return [...byName.values()]
}

/** Each release by the hash of its record, which the lock holds: nobody can put another in its place. */
async function fetchLocked(context: Context, target: InstallTarget): Promise<FetchResult[]> {
  const lock: LockFile | undefined = target.readLock()
  if (lock === undefined) {
    throw new CatalogError('NOT_FOUND', `there is no catalog-lock.json in ${target.root}`, {
      hint: 'install without --frozen first, or give the right --to'
    })
  }
  const releases: FetchResult[] = []
  for (const [name, locked] of lock) {
    const release = await fetchRelease(context, { spec: locked.record, publisher: locked.publisher })
    checkLocked(name, locked, release)
    releases.push(release)
  }
  return releases
}

function checkLocked(name: string, locked: LockedPackage, release: FetchResult): void {
  const pairs: Array<[field: string, locked: unknown, actual: unknown]> = [
    ['record', locked.record, release.id],
    ['name', name, release.name],
    ['version', locked.version, release.version],
    ['publisher', locked.publisher, release.owner],
    ['content', locked.content, release.content],
    ['sizeBytes', locked.sizeBytes, release.sizeBytes],
    ['files', locked.files, release.files]
  ]
  for (const [field, expected, actual] of pairs) {
    if (expected !== actual)
      throw new CatalogError(
        'LOCK_INVALID',
        `the lock says ${field} ${String(expected)} for ${name}; its record says ${String(actual)}`
      )
  }
}

async function stage(context: Context, target: InstallTarget, release: FetchResult): Promise<void> {
  const { name, version, sizeBytes, files } = release
  const tar = context
    .client()
    .download(`/v1/contents/${encodeURIComponent(release.content)}/tar`, context.signal)
  await target.stage(toPackage(release), tar, {
    signal: context.signal,
    onProgress: totals => {
      context.progress.update({
        phase: `installing ${name}@${version}`,
        bytesDone: totals.sizeBytes,
        bytesTotal: sizeBytes,
        itemsDone: totals.files,
        itemsTotal: files
      })
    }
  })
  context.progress.finish()
}

function toPackage(release: FetchResult): PackageToInstall {
  const { name, version, owner: publisher, id: record, content, sizeBytes, files } = release
  const needed = (release.dependencies ?? []).filter(({ kind }) => NEEDED_KINDS.has(kind))
  const dependencies = Object.fromEntries(needed.map(dependency => [dependency.name, dependency.range]))
  return {
    name,
    version,
    publisher,
    record,
    content,
    sizeBytes,
    files,
    ...(needed.length > 0 ? { dependencies } : {})
  }
}

/** Throws OWNER_CHANGED when the name was installed from another owner before, on this node. */
async function checkPin(context: Context, release: FetchResult): Promise<void> {
  const pinned = await readPin(context, release.name)
  if (pinned === undefined || pinned === release.owner) return
  throw new CatalogError(
    'OWNER_CHANGED',
    `${release.name} belongs to ${release.owner}, but ${pinned} is pinned here`,
    {
      details: { name: release.name, pinned, owner: release.owner }
    }
  )
}

/** Throws OWNER_CONFLICT when the folder has the name from another owner: an upgrade must not change whose code runs. */
function checkOwnerInFolder({ name, owner }: FetchResult, locked: LockedPackage | undefined): void {
  if (locked === undefined || locked.publisher === owner) return
  throw new CatalogError(
    'OWNER_CONFLICT',
    `${name} is of ${locked.publisher} in this folder, as its lock file says, and this one is of ${owner}`,
    { details: { name, locked: locked.publisher, owner } }
  )
}

async function readPin(context: Context, name: string): Promise<string | undefined> {
  try {
    const path = `/v1/pins/${encodeURIComponent(name)}`
    return (await context.client().request<{ owner: string }>('GET', path, { signal: context.signal })).owner
  } catch (error) {
    if (error instanceof CatalogError && error.code === 'NOT_FOUND') return undefined
    throw error
  }
}

/**
 * From now on these names mean these owners on this node. Another owner replaces the pinned one only with --publisher. A lock
 * file outranks the pin, since it names the owners by key, and leaves it as it is.
 */
async function pinOwners(
  context: Context,
  releases: FetchResult[],
  options: Options,
  lockedBefore: LockFile | undefined
): Promise<OwnerChange[]> {
  const changes: OwnerChange[] = []
  for (const { name, owner } of releases) {
    const pinned = await readPin(context, name)
    const known = options.frozen === true ? [] : [pinned, lockedBefore?.get(name)?.publisher]
    const from = known.find(key => key !== undefined && key !== owner)
    if (from !== undefined) changes.push({ name, from, to: owner })
    if (pinned === owner) continue
    if (pinned !== undefined && options.frozen === true) {
      context.output.note(
        `${printable(name)} is of ${owner}, as the lock file says, though ${pinned} is pinned here.`
      )
      continue
    }
    if (pinned !== undefined && options.publisher === undefined) continue
    await context
      .client()
      .request('PUT', `/v1/pins/${encodeURIComponent(name)}`, { body: { owner }, signal: context.signal })
    const instead = pinned === undefined ? '' : ` instead of ${pinned}`
    context.output.note(`${printable(name)} is now pinned to its publisher ${owner}${instead}.`)
  }
  return changes
}

function showResult(
  context: Context,
  root: string,
  installed: InstalledPackage[],
  releases: FetchResult[],
  ownersChanged: OwnerChange[],
  tookMs: number
): void {
  const bytesFetched = releases.reduce((sum, release) => sum + release.bytesFetched, 0)
  const sizeBytes = releases.reduce((sum, release) => sum + release.sizeBytes, 0)
  const unresolved = unresolvedOf(installed, releases)
  const result = {
    target: root,
    installed,
    bytesFetched,
    tookMs: Math.round(tookMs),
    unresolved,
    ownersChanged
  }
  context.output.result(result, () =>
    [
      ...installed.map(({ name, version, path }) => `${name}@${version}  ${printable(path)}`),
      `${plural(installed.length, 'package')}, ${displaySize(sizeBytes)} (${displaySize(bytesFetched)} fetched) in ${displayDuration(Math.round(tookMs))}`
    ].join('\n')
  )
  for (const { name, from, to } of ownersChanged)
    context.output.warn(`owner of ${name} changed from ${from} to ${to}`)
  if (unresolved.length === 0) return
  context.output.note('Dependencies are not resolved yet; these are needed and not installed here:')
  for (const { name, range, by } of unresolved.slice(0, MAX_UNRESOLVED_LINES))
    context.output.note(printable(`  ${name}@${range} (for ${by})`))
  if (unresolved.length > MAX_UNRESOLVED_LINES)
    context.output.note(`  and ${unresolved.length - MAX_UNRESOLVED_LINES} more: --json names all`)
}

/** What the installed releases need, and the folder has not got from this install. */
function unresolvedOf(installed: InstalledPackage[], releases: FetchResult[]): Unresolved[] {
  const here = new Set(installed.map(({ name }) => name))
  return releases.flatMap(({ name: by, dependencies = [], unresolved = [] }) =>
    [...dependencies, ...unresolved]
      .filter(({ kind, name }) => NEEDED_KINDS.has(kind) && !here.has(name))
      .map(({ name, range, kind }) => ({ name, range, kind, by }))
  )
}
