import { CatalogError, systemClock } from '../../base/index.ts'
import {
  createReleaseRecord,
  decodeRelease,
  nextSequence,
  type ReleaseDescription
} from '../../library/index.ts'
import { defineCommand } from '../framework/tree.ts'
import { ownRelease, publishChange } from './own-release.ts'

interface Options {
  description?: string
  tag?: string[]
  category?: string[]
  licence?: string
  author?: string[]
  link?: Array<[key: string, url: string]>
  key?: string
}

export const run = defineCommand(async (context, [spec]: [string], options: Options) => {
  const changes = changesOf(options)
  const { release, signer } = await ownRelease(context, spec, options.key)
  const { record } = await context
    .client()
    .request<{ record: string }>('GET', `/v1/records/${encodeURIComponent(release.id)}`, {
      signal: context.signal
    })
  const known = decodeRelease(new Uint8Array(Buffer.from(record, 'base64'))).release
  const sequence = nextSequence(systemClock.now(), known.sequence)
  const revised = createReleaseRecord(Object.assign(known, changes, { sequence }), signer)
  const item = await publishChange(context, 'PUT', '/v1/packages', revised)
  context.output.result(item, () => `${item.name}@${item.version} has new words\n${item.id}`)
})

/** Each given field takes the place of the whole old one; an empty one takes it away. */
function changesOf({
  description,
  tag,
  category,
  licence,
  author,
  link
}: Options): Partial<ReleaseDescription> {
  const list = (values: string[]): string[] | undefined => {
    const given = values.filter(value => value !== '')
    return given.length === 0 ? undefined : given
  }
  const changes = {
    ...(description === undefined ? {} : { description: description === '' ? undefined : description }),
    ...(tag === undefined ? {} : { keywords: list(tag) }),
    ...(category === undefined ? {} : { categories: list(category) }),
    ...(licence === undefined ? {} : { licence: licence === '' ? undefined : licence }),
    ...(author === undefined ? {} : { authors: list(author) }),
    ...(link === undefined ? {} : { links: linksOf(link) })
  }
  if (Object.keys(changes).length > 0) return changes as Partial<ReleaseDescription>
  throw new CatalogError('INVALID_ARGUMENT', 'describe needs something to say', {
    hint: 'give --description, --tag, --category, --licence, --author or --link'
  })
}

function linksOf(link: Array<[key: string, url: string]>): Record<string, string> | undefined {
  const links = Object.fromEntries(link.filter(([, url]) => url !== ''))
  return Object.keys(links).length === 0 ? undefined : links
}
