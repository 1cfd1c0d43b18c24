import { describe, expect, test } from 'vitest'
import { createReleaseRecord, type ReleaseRecord } from '../../../library/index.ts'
import { bringContent, type ContentWish } from '../../../node/services/library-content.ts'
import { classesOf, matcherOf, type ReleaseFilter } from '../../../node/services/release-filter.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const release = (name: string, over: object = {}): ReleaseRecord =>
  createReleaseRecord(small({ name, content: contentOf(name), ...over }), keyOf('ada'))

const RELEASES = [
  release('here'),
  release('new'),
  release('tool-a', { keywords: ['ci'], categories: ['tools', 'build'] }),
  release('tool-b', { type: 'vm' }),
  release('yanked')
]

interface World {
  /** Pages that were read. */
  pages?: number
  fetched: string[]
  failing?: (name: string) => boolean
  /** Name of a package that is let go of while its page is gone through. */
  gone?: string
}

const bring = (world: World, wish: Partial<ContentWish>, signal = new AbortController().signal) =>
  bringContent(
    {
      blocking: nothingBlocked,
      sets: {
        // A page each.
        followedReleases: async (_, after) => {
          world.pages = (world.pages ?? 0) + 1
          const at = after === undefined ? 0 : after[0]!
          const next = at + 1 < RELEASES.length ? { next: Uint8Array.of(at + 1) } : {}
          return { releases: [RELEASES[at]!], ...next }
        }
      },
      content: { localState: cid => (cid.equals(contentOf('here')) ? 'complete' : 'none') },
      registry: {
        get: id => RELEASES.find(known => known.id.equals(id) && known.release.name !== world.gone),
        status: ({ name }: { name: string }) =>
          (name === 'yanked' ? { status: { state: 'yanked' } } : undefined) as never,
        entries: async function* ({ name }: { name: string }) {
          const { owner } = RELEASES[0]!.release
          if (name === 'new') yield { content: contentOf('here'), owner } as never
          // Somebody else's, who publishes under that name too.
          if (name === 'tool-a') yield { content: contentOf('here'), owner: keyOf('eve').publicKey } as never
        }
      },
      fetching: {
        fetch: async ({ spec }) => {
          const { name } = RELEASES.find(({ id }) => id.toString() === spec)!.release
          if (world.failing?.(name)) throw new Error('nobody has it')
          world.fetched.push(name)
          return { bytesFetched: 10 } as never
        }
      }
    },
    { library: new Uint8Array(32), policy: 'all', ...wish },
    { signal }
  )

describe('the content of a library', () => {
  test('is all that is missing and not yanked, what is known of, or nothing', async () => {
    const world: World = { fetched: [] }
    expect(await bring(world, {})).toEqual({ fetched: 3, failed: 0, bytesFetched: 30, isGivenUp: false })
    expect(world.fetched).toEqual(['new', 'tool-a', 'tool-b'])
    const known: World = { fetched: [] }
    await bring(known, { policy: 'wanted' })
    expect(known.fetched).toEqual(['new'])
    const none: World = { fetched: [] }
    await bring(none, { policy: 'none' })
    expect(none.fetched).toEqual([])
  })

  test('is asked of nobody where it was let go of meanwhile', async () => {
    const world: World = { fetched: [], gone: 'tool-a' }
    await bring(world, {})
    expect(world.fetched).toEqual(['new', 'tool-b'])
  })

  test('is what a filter means, and all of its parts count', () => {
    const meant = (filter: ReleaseFilter): string[] =>
      RELEASES.filter(({ release: one }) => matcherOf(filter)(one)).map(one => one.release.name)
    expect(meant({ prefix: 'tool-' })).toEqual(['tool-a', 'tool-b'])
    expect(meant({ tag: 'ci' })).toEqual(['tool-a'])
    expect(meant({ type: 'vm' })).toEqual(['tool-b'])
    expect(meant({ category: 'build' })).toEqual(['tool-a'])
    expect(meant({ type: 'vm', tag: 'ci' })).toEqual([])
    const [ada, eve] = [keyOf('ada'), keyOf('eve')].map(({ publicKey }) => formatPublicKey(publicKey))
    expect(meant({ publisher: ada! })).toHaveLength(RELEASES.length)
    expect(meant({ publisher: ada!, category: 'tools' })).toEqual(['tool-a'])
    expect(meant({ publisher: eve! })).toEqual([])
    expect(() => matcherOf({ publisher: 'ada' })).toThrow(expect.objectContaining({ code: 'KEY_INVALID' }))
    expect(meant({})).toHaveLength(RELEASES.length)
  })

  test('comes in the order of the classes that the operator names, the rest last', async () => {
    const classes = classesOf(['category:none', 'type:vm', 'tag:ci'])
    const world: World = { fetched: [] }
    expect(await bring(world, { classes })).toMatchObject({ fetched: 3, failed: 0 })
    expect(world.fetched).toEqual(['tool-b', 'tool-a', 'new'])
    const one: World = { fetched: [] }
    await bring(one, { classes, filter: { prefix: 'tool-' } })
    expect(one.fetched, 'of those that are meant').toEqual(['tool-b', 'tool-a'])
    expect([world.pages, one.pages].map(pages => pages! / RELEASES.length)).toEqual([4, 3])
    const plain: World = { fetched: [] }
    await bring(plain, {})
    expect(plain.pages, 'nothing is asked for twice without them').toBe(RELEASES.length)
  })

  test('goes on when one fails, and is left for later when many do', async () => {
    const world: World = { fetched: [], failing: name => name === 'new' }
    expect(await bring(world, {})).toMatchObject({ fetched: 2, failed: 1, isGivenUp: false })
    const aborted = AbortSignal.abort(new Error('enough'))
    await expect(bring(world, {}, aborted)).rejects.toThrow('enough')
  })
})
