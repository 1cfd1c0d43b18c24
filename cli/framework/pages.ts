/** Lists that the daemon gives page by page: one page, or all of them as they come. */
import type { Context } from './context.ts'

/** Fits a screen or two; --limit and --all give more. */
const DEFAULT_LIMIT = 100
/** Page size of --all: few round trips, answers of some 100 KB. */
const ALL_PAGE = 500

export interface PageOptions {
  limit?: number
  after?: string
  all?: boolean
}

export interface PagedList<Item> {
  /** Of the admin API. */
  path: string
  /** Name of the items in its answers, and in the JSON of the command. */
  field: string
  table(items: Item[]): string
  /** Said of an empty list. */
  none: string
  /** The words of the command itself. */
  command: string
}

interface Page<Item> {
  items: Item[]
  /** Cursor of the next page; absent on the last one. */
  next?: string | undefined
}

export async function printPages<Item>(
  context: Context,
  list: PagedList<Item>,
  options: PageOptions
): Promise<void> {
  if (options.all === true && !context.output.json) return await printAll(context, list, options)
  const { items, next } =
    options.all === true ? await readAll(context, list, options) : await readPage(context, list, options)
  context.output.result({ [list.field]: items, ...(next === undefined ? {} : { next }) }, () =>
    list.table(items)
  )
  if (items.length === 0 && options.after === undefined) context.output.note(list.none)
  if (next !== undefined) context.output.note(`More: catalog ${list.command} --after '${next}'`)
}

async function readPage<Item>(
  context: Context,
  { path, field }: PagedList<Item>,
  { limit = DEFAULT_LIMIT, after }: PageOptions
): Promise<Page<Item>> {
  const answer = await context
    .client()
    .request<Record<string, unknown>>('GET', path, { query: { limit, after }, signal: context.signal })
  return { items: answer[field] as Item[], next: answer.next as string | undefined }
}

/** One table per page, as they come: a library of millions does not have to fit in memory. */
async function printAll<Item>(context: Context, list: PagedList<Item>, options: PageOptions): Promise<void> {
  for await (const { items } of pages(context, list, options))
    context.output.result(undefined, () => list.table(items))
}

async function readAll<Item>(
  context: Context,
  list: PagedList<Item>,
  options: PageOptions
): Promise<Page<Item>> {
  const items: Item[] = []
  for await (const part of pages(context, list, options)) items.push(...part.items)
  return { items }
}

async function* pages<Item>(
  context: Context,
  list: PagedList<Item>,
  { limit = ALL_PAGE, after: from }: PageOptions
): AsyncGenerator<Page<Item>> {
  for (let after = from, isLast = false; !isLast; ) {
    const part = await readPage(context, list, { limit, ...(after === undefined ? {} : { after }) })
    yield part
    after = part.next
    isLast = after === undefined
  }
}
