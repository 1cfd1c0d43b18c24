import { CatalogError, displayDuration, displaySize, plural } from '../../base/index.ts'
import { runOrQueue } from '../client/later.ts'
import type { FollowedLibrary, SyncResult, SyncStatus } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { formatTable } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { conditionsText } from './conditions.ts'

interface Options {
  library?: string
  dryRun?: boolean
  mode?: string
  strategy?: string
  content?: string
  type?: string
  tag?: string
  category?: string
  prefix?: string
  publisher?: string
  status?: boolean
  forget?: boolean
  later?: boolean
}

export const run = defineCommand(async (context, [peer]: [string | undefined], options: Options) => {
  if (options.status === true) {
    expectAlone(peer !== undefined || given(options).length > 1, '--status')
    await showStatus(context)
    return
  }
  if (peer === undefined)
    throw new CatalogError('INVALID_ARGUMENT', 'name the peer', {
      hint: 'give its peer id or multiaddr, or --status'
    })
  if (options.forget === true) {
    expectAlone(given(options).length > 1, '--forget')
    const path = `/v1/sync/${encodeURIComponent(peer)}`
    const result = await context
      .client()
      .request<{ writer: string; name: string }>('DELETE', path, { signal: context.signal })
    context.output.result(result, () => `the copy of the library ${peer} was let go of`)
    return
  }
  const { library, dryRun, mode, strategy, content, type, tag, category, prefix, publisher, later } = options
  if (later === true && given(options).some(option => option !== 'library' && option !== 'later'))
    throw new CatalogError('INVALID_ARGUMENT', '--later goes with PEER and --library alone', {
      hint: 'leave out the other options, or --later'
    })
  const body = { peer, library, dryRun, mode, strategy, content, type, tag, category, prefix, publisher }
  const result = await runOrQueue<SyncResult>(context, { path: '/v1/sync', queue: 'sync', body, later })
  if (result === undefined) return
  context.output.result(result, () => summary(result))
})

const OPTIONS = [
  'library',
  'dryRun',
  'mode',
  'strategy',
  'content',
  'type',
  'tag',
  'category',
  'prefix',
  'publisher',
  'status',
  'forget',
  'later'
] as const

/** The command's own options that were given; global ones stand beside them. */
const given = (options: Options): string[] => OPTIONS.filter(option => options[option] !== undefined)

function expectAlone(hasMore: boolean, option: string): void {
  if (hasMore) throw new CatalogError('INVALID_ARGUMENT', `${option} goes with nothing else`)
}

function summary(result: SyncResult): string {
  const { state, way, dryRun, received, removed, records, bytesIn, bytesOut, roundTrips, tookMs } = result
  const wayText = way === undefined ? '' : `by ${way}, `
  const traffic = `${displaySize(bytesIn)} in, ${displaySize(bytesOut)} out, ${wayText}${plural(roundTrips, 'round trip')}, ${displayDuration(tookMs)}`
  if (state === 'behind')
    return `the peer has an earlier state of this library than this node knows of; ${traffic}`
  const more = joinedText(result) + contentText(result)
  if (state === 'equal') return `equal: ${plural(records, 'record')}; ${traffic}${more}`
  const came = `${plural(received, 'record')} ${dryRun ? 'would come' : 'came'}`
  const went = `${removed} ${dryRun ? 'would go or be replaced' : 'went or were replaced'}`
  return `${came}, ${went}: ${plural(records, 'record')}; ${traffic}${more}`
}

function joinedText({ joined, dryRun }: SyncResult): string {
  if (joined === undefined) return ''
  const records = plural(joined, 'record')
  return dryRun
    ? `\n${records} of the copy that is here would join the home library, and what comes that fits`
    : `\n${records} joined the home library`
}

function contentText({ content }: SyncResult): string {
  if (content === undefined) return ''
  const { fetched, failed, bytesFetched } = content
  const came = `content of ${plural(fetched, 'release')} (${displaySize(bytesFetched)})`
  return `\n${came}${failed > 0 ? `; of ${failed} it could not be had` : ''}`
}

async function showStatus(context: Context): Promise<void> {
  const { signal } = context
  const status = await context.client().request<SyncStatus>('GET', '/v1/sync', { signal })
  context.output.result(status, () => {
    const { libraries, follows } = status
    if (libraries.length + follows.length === 0) return 'no library of another node is followed here'
    const copies = formatTable(['LIBRARY', 'RECORDS', 'REVISION', 'STATE', 'EQUAL AT'], libraries.map(rowOf))
    const standing = formatTable(
      ['FOLLOWS', 'CONTENT', 'MODE', 'ONLY', 'STATE', 'NEXT AT'],
      follows.map(follow => [
        follow.address,
        follow.content,
        follow.mode,
        conditionsText(follow),
        follow.error ?? follow.state,
        follow.nextAt ?? ''
      ])
    )
    return [copies, standing].filter(table => table !== '').join('\n\n')
  })
}

const rowOf = ({ address, records, head, isExpired, syncedAt }: FollowedLibrary): string[] => [
  address,
  String(records),
  head === null ? '' : String(head.revision),
  head === null ? 'incomplete' : isExpired ? 'expired' : 'holds',
  syncedAt ?? ''
]
