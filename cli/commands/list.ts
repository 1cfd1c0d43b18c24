import type { ReleaseItem } from '../client/types.ts'
import type { Context } from '../framework/context.ts'
import { defineCommand } from '../framework/tree.ts'
import { releaseTable } from './releases.ts'

interface ListPage {
  packages: ReleaseItem[]
  /** Cursor of the next page; absent on the last one. */
  next?: string
}

interface Options {
  limit?: number
  after?: string
  all?: boolean
}

/** Fits a screen or two; --limit and --all give more. */
const DEFAULT_LIMIT = 100
/** Page size of --all: few round trips, answers of some 100 KB. */
const ALL_PAGE = 500

export const run = defineCommand(async (context, _args: [], options: Options) => {
  if (options.all === true && !context.output.json) return printAll(context, options)
  const answer = options.all === true ? await readAll(context, options) : await page(context, options)
  context.output.result(answer, () => releaseTable(answer.packages))
  if (answer.packages.length === 0 && options.after === undefined)
    context.output.note('Nothing here yet: `catalog publish DIR` or `catalog fetch NAME`.')
  if (answer.next !== undefined) context.output.note(`More: catalog list --after '${answer.next}'`)
})

async function page(context: Context, options: Options): Promise<ListPage> {
  return context.client().request<ListPage>('GET', '/v1/packages', {
    query: { limit: options.limit ?? DEFAULT_LIMIT, after: options.after },
    signal: context.signal
  })
}

/** One table per page, as they come: a library of millions does not have to fit in memory. */
async function printAll(context: Context, options: Options): Promise<void> {
  for await (const { packages } of pages(context, options))
    context.output.result(undefined, () => releaseTable(packages))
}

async function readAll(context: Context, options: Options): Promise<ListPage> {
  const packages: ReleaseItem[] = []
  for await (const part of pages(context, options)) packages.push(...part.packages)
  return { packages }
}

async function* pages(context: Context, options: Options): AsyncGenerator<ListPage> {
  let after = options.after
  do {
    const part = await page(context, {
      limit: options.limit ?? ALL_PAGE,
      ...(after === undefined ? {} : { after })
    })
    yield part
    after = part.next
  } while (after !== undefined)
}
