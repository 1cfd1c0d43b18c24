/** What is said of the copy that a bundle may become, and that nothing of the bundle is lost where there can be none. */
import { expect, it } from 'vitest'
import { CatalogError, type ErrorCode, silentLogger } from '../../../base/index.ts'
import { createReleaseRecord } from '../../../library/index.ts'
import { LibraryCopy } from '../../../node/services/bundle-copy.ts'
import { type BundleOutcome, decodeHead, libraryIdOf, signHead } from '../../../sync/index.ts'
import { keyOf, NOW_MS, small } from '../records/examples.ts'

const writer = keyOf('writer')
const head = decodeHead(
  signHead(
    {
      library: libraryIdOf(writer.publicKey, 'tools'),
      epoch: 1,
      revision: 1,
      time: NOW_MS,
      expires: NOW_MS + 1000,
      root: new Uint8Array(32)
    },
    writer
  ).bytes
)
const record = createReleaseRecord(small(), keyOf('ada'))

interface World {
  own?: Uint8Array
  isOlder?: boolean
  hasCopy?: boolean
  records?: number
  state?: BundleOutcome['state']
  openFails?: ErrorCode
  takeFails?: ErrorCode
  endFails?: ErrorCode
}

async function takeIn(world: World) {
  const {
    own = keyOf('me').publicKey,
    isOlder = false,
    hasCopy = false,
    records = 600,
    state = 'updated'
  } = world
  const done = { opened: 0, taken: 0, closed: 0, audiences: 0 }
  const fail = (code: ErrorCode | undefined): void => {
    if (code !== undefined) throw new CatalogError(code, 'it fails')
  }
  const openBundle = async () => {
    fail(world.openFails)
    done.opened++
    return {
      take: async (some: readonly Uint8Array[]) => {
        fail(world.takeFails)
        done.taken += some.length
      },
      end: async () => {
        fail(world.endFails)
        return { state, received: 0, removed: 0, records }
      },
      close: async () => void done.closed++
    }
  }
  const copy = new LibraryCopy(
    {
      sets: { openBundle, copyOf: async () => (hasCopy ? 'a copy' : undefined) },
      logger: silentLogger,
      onAudienceChanged: async () => void done.audiences++
    },
    { own, maxRecords: 1000, maxBytes: 1000 },
    { head, name: 'tools', isOlder }
  )
  try {
    for (let at = 0; at < records; at += 200)
      await copy.take(Array.from({ length: 200 }, () => ({ record, count: records })))
    const said = await copy.end()
    expect(await copy.end(), 'the same again').toBe(said)
    return { said, ...done, made: copy.made }
  } finally {
    await copy.close()
    expect(done.closed, 'nothing is left open, or closed twice').toBe(done.opened)
  }
}

it.each<[World, object]>([
  [
    {},
    {
      said: 'made',
      taken: 600,
      audiences: 1,
      made: { library: head.library, copy: { root: '00'.repeat(32), state: 'updated' } }
    }
  ],
  [
    { state: 'equal', hasCopy: true },
    { said: 'made', taken: 600, audiences: 0 }
  ],
  [{ state: 'part' }, { said: 'part', audiences: 0, made: undefined }],
  [{ records: 0 }, { said: 'part', opened: 0 }],
  [{ state: 'behind' }, { said: 'older', audiences: 0 }],
  [{ isOlder: true }, { said: 'older', opened: 0 }],
  [
    { own: writer.publicKey, isOlder: true },
    { said: 'own', opened: 0 }
  ],
  [{ openFails: 'BUSY' }, { said: 'busy' }],
  [{ openFails: 'LIMIT_EXCEEDED' }, { said: 'too-large' }],
  [{ takeFails: 'LIMIT_EXCEEDED' }, { said: 'too-large', taken: 0 }],
  [{ endFails: 'LIMIT_EXCEEDED' }, { said: 'too-large', audiences: 0 }]
])('of %o it says so', async (world, expected) => {
  expect(await takeIn(world)).toMatchObject(expected)
})

it.each<World>([{ openFails: 'HEAD_INVALID' }, { takeFails: 'TREE_DAMAGED' }, { endFails: 'SYNC_DIVERGED' }])(
  'of %o it fails',
  async world => {
    await expect(takeIn(world)).rejects.toThrow('it fails')
  }
)
