import { CID } from 'multiformats/cid'
import { CatalogError, displaySize, plural, systemClock } from '../../base/index.ts'
import {
  checkName,
  checkNewRelease,
  checkVersion,
  createReleaseRecord,
  EMPTY_ROOT,
  type NewRelease,
  nextSequence,
  type PackageType,
  PRIVATE_LIBRARY
} from '../../library/index.ts'
import type { SigningKey } from '../../trust/index.ts'
import { runOperation } from '../client/operations.ts'
import type { IngestAnswer, PublishResult } from '../client/types.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { PACKAGE_FILE, type PackageDefaults, readDefaults } from '../publish/defaults.ts'
import { checkAllUnchanged, packFolder } from '../publish/pack.ts'
import { type SourceEntry, walkFolder } from '../publish/walk.ts'
import { openKeyring, unlockKey } from './keyring.ts'
import { ownLibrary } from './library-show.ts'

interface Options {
  name?: string
  version?: string
  type?: PackageType
  description?: string
  tag?: string[]
  key?: string
  library?: string
  wait?: number
  dryRun?: boolean
}

export const run = defineCommand(async (context, [dir]: [string], options: Options) => {
  const folder = resolvePath(context, dir)
  const entries = walkFolder(folder)
  const identity = identify(readDefaults(folder), options)
  for (const warning of identity.warnings) context.output.warn(warning)
  // All that can be wrong with the record is said before a byte of the folder is sent; its content has yet to get a name.
  checkNewRelease(releaseOf(identity, { content: EMPTY_ROOT, ...totalsOf(entries) }))
  if (options.dryRun === true) return showPlan(context, identity, entries)
  if (options.library !== undefined) await expectLibrary(context, options.library, options.wait)

  const signer = await unlockKey(context, await openKeyring(context), options.key)
  const ingest = await store(context, folder, entries)
  const record = sign(identity, ingest, signer)
  const result = await runOperation<PublishResult>(context, {
    path: '/v1/packages',
    body: { record: Buffer.from(record).toString('base64'), library: options.library, wait: options.wait }
  })
  const { warning, ...published } = result
  const warnings = [...identity.warnings, ...(warning === undefined ? [] : [warning])]
  if (warning !== undefined) context.output.warn(warning)
  context.output.result({ ...published, newBytes: ingest.newBytes, warnings }, () => {
    const size = `${plural(result.files, 'file')}, ${displaySize(result.sizeBytes)}, ${displaySize(ingest.newBytes)} new`
    return `published ${result.name}@${result.version} (${size})\n${result.id}`
  })
  const { announcedTo, access, library } = result
  if (library === PRIVATE_LIBRARY) context.output.note('It is for this node alone.')
  else if (access !== 'public')
    context.output.note(
      `It is ${access}: announced to nobody, and for those who may follow the library ${library}.`
    )
  else if (announcedTo === 0)
    context.output.note('No other node holds its announcement yet; the daemon goes on announcing it.')
  else context.output.note(`Announced to ${plural(announcedTo, 'node')}.`)
})

/** Before a byte of the folder is sent. NOT_FOUND, INVALID_ARGUMENT. */
async function expectLibrary(context: Context, name: string, wait = 0): Promise<void> {
  const { access } = await ownLibrary(context, name)
  if (access !== 'public' && wait > 0)
    throw new CatalogError(
      'INVALID_ARGUMENT',
      `the library ${name} is ${access}: nothing of it is announced`,
      {
        hint: 'publish without --wait'
      }
    )
}

interface Identity {
  name: string
  version: string
  fields: Omit<
    NewRelease,
    'name' | 'version' | 'content' | 'sizeBytes' | 'files' | 'publishedAt' | 'sequence'
  >
  warnings: string[]
}

/** Flags over what the folder says. Throws INVALID_ARGUMENT, NAME_INVALID, VERSION_INVALID before anything is read. */
function identify(defaults: PackageDefaults, options: Options): Identity {
  const name = options.name ?? defaults.name
  const version = options.version ?? defaults.version
  if (name === undefined) throw missing('name')
  if (version === undefined) throw missing('version')
  checkName(name)
  checkVersion(version)
  const { description } = defaults
  const keywords = [...new Set([...(description.keywords ?? []), ...(options.tag ?? [])])]
  return {
    name,
    version,
    fields: {
      ...description,
      type: options.type ?? description.type ?? 'package',
      ...(options.description === undefined ? {} : { description: options.description }),
      ...(keywords.length > 0 ? { keywords } : {})
    },
    warnings: defaults.warnings
  }
}

function missing(field: 'name' | 'version'): CatalogError {
  return new CatalogError('INVALID_ARGUMENT', `the release has no ${field}`, {
    hint: `give --${field}, or write it into ${PACKAGE_FILE} or package.json`
  })
}

/**
 * Without a word about room first: most of a new version is there already, and nothing needs to go for it. When it does
 * not fit it is sent again, with room made for all of it.
 */
async function store(context: Context, folder: string, entries: SourceEntry[]): Promise<IngestAnswer> {
  try {
    return await upload(context, folder, entries, '/v1/ingests')
  } catch (error) {
    if (!(error instanceof CatalogError) || error.code !== 'QUOTA_EXCEEDED') throw error
    const { sizeBytes } = totalsOf(entries)
    return await upload(context, folder, entries, `/v1/ingests?roomFor=${sizeBytes}`)
  }
}

async function upload(
  context: Context,
  folder: string,
  entries: SourceEntry[],
  path: string
): Promise<IngestAnswer> {
  const totals = totalsOf(entries)
  const chunks = packFolder(folder, entries, ({ bytesDone, itemsDone }) => {
    context.progress.update({
      phase: 'publishing',
      bytesDone,
      bytesTotal: totals.sizeBytes,
      itemsDone,
      itemsTotal: totals.files
    })
  })
  const ingest = await context
    .client()
    .upload<IngestAnswer>(path, 'application/x-tar', chunks, context.signal)
  context.progress.finish()
  checkAllUnchanged(folder, entries)
  return ingest
}

function sign(identity: Identity, ingest: IngestAnswer, signer: SigningKey): Uint8Array {
  return createReleaseRecord(releaseOf(identity, { ...ingest, content: CID.parse(ingest.content) }), signer)
    .bytes
}

function releaseOf(
  { name, version, fields }: Identity,
  { content, sizeBytes, files }: Pick<NewRelease, 'content' | 'sizeBytes' | 'files'>
): NewRelease {
  const nowMs = systemClock.now()
  const sequence = nextSequence(nowMs)
  return { ...fields, name, version, content, sizeBytes, files, publishedAt: nowMs, sequence }
}

function showPlan(context: Context, identity: Identity, entries: SourceEntry[]): void {
  const { name, version, warnings } = identity
  const totals = totalsOf(entries)
  const listed = entries.map(entry => ({
    path: entry.path,
    kind: entry.kind,
    ...(entry.kind === 'file' ? { sizeBytes: entry.sizeBytes } : {})
  }))
  context.output.result({ name, version, ...totals, entries: listed, warnings }, () =>
    [
      formatTable(
        ['SIZE', 'PATH'],
        entries.map(entry => [
          entry.kind === 'file' ? displaySize(entry.sizeBytes) : entry.kind,
          entry.kind === 'symlink' ? `${entry.path} -> ${entry.target}` : entry.path
        ])
      ),
      `${name}@${version}: ${plural(totals.files, 'file')}, ${displaySize(totals.sizeBytes)}; nothing was published`
    ]
      .filter(part => part !== '')
      .join('\n')
  )
}

function totalsOf(entries: SourceEntry[]): { sizeBytes: number; files: number } {
  let sizeBytes = 0
  let files = 0
  for (const entry of entries) {
    if (entry.kind !== 'file') continue
    sizeBytes += entry.sizeBytes
    files++
  }
  return { sizeBytes, files }
}
