import { CatalogError, toCatalogError, withSpan } from '../../base/index.ts'
import {
  InstallTarget,
  type LockedPackage,
  type LockFile,
  type PackageToInstall
} from '../../library/index.ts'
import type { FetchedRelease, FetchResult } from '../client/types.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { checkOwnerInFolder, checkPin, pinOwners } from '../install/owners.ts'
import { fetchInto } from '../install/pipeline.ts'
import { NEEDED_KINDS, showResult } from '../install/result.ts'
import { warnOfStatus } from './releases.ts'

interface Options {
  to?: string
  frozen?: boolean
  publisher?: string
  stale?: boolean
}

/** What is to be installed by name, and what the folder had before. */
interface Named {
  specs: readonly string[]
  publisher?: string
  stale?: boolean
  lockedBefore: LockFile | undefined
}

export const run = defineCommand((context, [specs]: [string[]], options: Options) =>
  withSpan('install', { 'catalog.specs': specs }, () => install(context, specs, options))
)

async function install(context: Context, specs: string[], options: Options): Promise<void> {
  const startedMs = performance.now()
  const folder = targetFolder(context, specs, options)
  const target = InstallTarget.open(folder)
  try {
    const lockedBefore = target.readLock()
    const releases =
      options.frozen === true
        ? await stageLocked(context, target, lockedBefore)
        : await stageNamed(context, target, { ...options, specs, lockedBefore })
    const changes = await pinOwners(context, releases, options, lockedBefore)
    const installed = target.commit({ exact: options.frozen === true })
    for (const release of releases) warnOfStatus(context, release)
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

async function stageNamed(
  context: Context,
  target: InstallTarget,
  { specs, publisher, stale, lockedBefore }: Named
): Promise<FetchResult[]> {
  const byName = new Map<string, FetchResult>()
  for (const spec of specs) {
    const release = await fetchInto(context, { spec, publisher, stale }, async (found, tar) => {
      if (publisher === undefined) {
        await checkPin(context, found)
        checkOwnerInFolder(found, lockedBefore?.get(found.name))
      }
      const before = byName.get(found.name)
      if (before === undefined) await stage(context, target, found, tar)
      else checkSame(before, found)
    })
    byName.set(release.name, byName.get(release.name) ?? release)
  }
  return [...byName.values()]
}

function checkSame(before: FetchedRelease, release: FetchedRelease): void {
  if (before.id === release.id) return
  throw new CatalogError(
    'INVALID_ARGUMENT',
    `${release.name} was asked for twice, as ${before.version} and as ${release.version}`,
    { hint: 'a folder holds one version of a name' }
  )
}

/**
 * Each release by its publisher's key and the hash of its content, which the lock holds: nobody can put another in its place. Its record
 * may be another by now, with newer words for the same content.
 */
async function stageLocked(
  context: Context,
  target: InstallTarget,
  lock: LockFile | undefined
): Promise<FetchResult[]> {
  if (lock === undefined) {
    throw new CatalogError('NOT_FOUND', `there is no catalog-lock.json in ${target.root}`, {
      hint: 'install without --frozen first, or give the right --to'
    })
  }
  const releases: FetchResult[] = []
  for (const [name, locked] of lock) {
    const { version, publisher, content } = locked
    const request = { spec: `${name}@${version}`, publisher, content }
    const release = await fetchInto(context, request, async (found, tar) => {
      checkLocked(name, locked, found)
      await stage(context, target, { ...found, id: locked.record }, tar)
    }).catch(thrown => {
      throw asOfLock(name, thrown)
    })
    releases.push(release)
  }
  return releases
}

/** What cannot even be asked for stands in the lock file, not on the command line. */
function asOfLock(name: string, thrown: unknown): unknown {
  const { code, message } = toCatalogError(thrown)
  if (code !== 'KEY_INVALID' && code !== 'SPEC_INVALID') return thrown
  return new CatalogError('LOCK_INVALID', `the lock has something wrong for ${name}: ${message}`, {
    cause: thrown
  })
}

function checkLocked(name: string, locked: LockedPackage, release: FetchedRelease): void {
  const pairs: Array<[field: string, locked: unknown, actual: unknown]> = [
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

async function stage(
  context: Context,
  target: InstallTarget,
  release: FetchedRelease,
  tar: AsyncIterable<Uint8Array>
): Promise<void> {
  const { name, version, sizeBytes, files } = release
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
}

function toPackage(release: FetchedRelease): PackageToInstall {
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
