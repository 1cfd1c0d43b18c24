/** Following and following no more, over a real configuration file; what puts it in force is as told. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import { loadConfig } from '../../../config/index.ts'
import { createConfigService } from '../../../node/services/config.ts'
import { formatAddress, parseAddress } from '../../../node/services/library-address.ts'
import { Subscribing } from '../../../node/services/subscribing.ts'
import { type Subscription, subscriptionsOf } from '../../../node/services/subscription.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { keyOf } from '../records/examples.ts'

const [self, ada, bob] = ['self', 'ada', 'bob'].map(name => peerOf(keyOf(name).publicKey)) as [
  string,
  string,
  string
]
const { signal } = new AbortController()

let folder: string
let file: string
let inForce: Subscription[]
/** What is told and done, in turn. */
let done: string[]
/** Addresses that copies are here of. */
let copies: Set<string>
let forgetting: () => void
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-follow-'))
  file = join(folder, 'config.toml')
  await writeFile(file, '# mine\n[sync]\ninterval = "1h" # slow\n')
  inForce = []
  done = []
  copies = new Set()
  forgetting = () => undefined
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function open(flags: Record<string, unknown> = {}): Subscribing {
  const reload = () => loadConfig({ file, flags })
  inForce = subscriptionsOf(reload().values.sync.follow)
  const sink = { write: () => {}, close: async () => {} }
  const config = createConfigService(
    {
      loaded: reload(),
      reload,
      logging: { level: 'info', sink } as never,
      throttle: { configure: () => undefined },
      follow: async lines => {
        inForce = subscriptionsOf(lines)
        done.push(`in force: ${lines.join(', ')}`)
      }
    },
    { file }
  )
  return new Subscribing(
    {
      config,
      follows: () =>
        inForce.map(one => ({ ...one, address: formatAddress(one), state: 'waiting', nextAt: '' })),
      syncing: {
        forget: async library => {
          forgetting()
          done.push(`forget: ${library}`)
          if (!copies.delete(library)) throw new CatalogError('NOT_FOUND', 'no copy')
          return parseAddress(library)
        }
      },
      logger: silentLogger
    },
    { self }
  )
}

const text = () => readFile(file, 'utf8')

test('a library is followed from now on, with what is asked for, and the file keeps everything else', async () => {
  const subscribing = open()
  expect(await subscribing.follow({ library: ada })).toMatchObject({
    address: ada,
    content: 'none',
    mode: 'mirror'
  })
  await subscribing.follow({ library: `${bob}/tools`, content: 'all' })
  expect(done).toEqual([`in force: ${ada}`, `in force: ${ada}, ${bob}/tools all`])
  expect(await text()).toBe(
    `# mine\n[sync]\ninterval = "1h" # slow\nfollow = ["${ada}", "${bob}/tools all"]\n`
  )
  // One way of it at a time.
  expect(await subscribing.follow({ library: `${ada}/home`, mode: 'union' })).toMatchObject({
    content: 'none',
    mode: 'union'
  })
  expect(await subscribing.follow({ library: ada, content: 'wanted' })).toMatchObject({
    content: 'wanted',
    mode: 'union'
  })
  expect(inForce.map(formatAddress)).toEqual([ada, `${bob}/tools`])
})

test('a library is followed no more, and then its copy goes', async () => {
  const subscribing = open()
  await subscribing.follow({ library: ada })
  await subscribing.follow({ library: bob })
  copies.add(ada)
  done = []
  expect(await subscribing.unfollow(`${ada}/home`, signal)).toEqual({
    writer: ada,
    name: 'home',
    address: ada,
    hadCopy: true
  })
  expect(done).toEqual([`in force: ${bob}`, `forget: ${ada}`])
  expect(await subscribing.unfollow(bob, signal)).toMatchObject({ hadCopy: false })
  expect(await text()).toContain('follow = []')
})

test('an address that is none, an own library, and what is so already, are refused and change nothing', async () => {
  const subscribing = open()
  await subscribing.follow({ library: ada, content: 'all' })
  const before = await text()
  const follow = (library: string, over = {}) => subscribing.follow({ library, ...over })
  await expect(follow('ada')).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    hint: expect.stringMatching(/catalog id/)
  })
  await expect(follow(`${ada}/A B`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(follow(`${self}/team`)).rejects.toMatchObject({
    code: 'INVALID_ARGUMENT',
    message: `${self}/team is a library of this node`
  })
  await expect(follow(`${ada}/private`)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  await expect(follow(ada)).rejects.toMatchObject({
    code: 'ALREADY_FOLLOWED',
    message: `${ada} is followed already: content all, mode mirror`
  })
  await expect(follow(ada, { content: 'all' })).rejects.toMatchObject({ code: 'ALREADY_FOLLOWED' })
  await expect(subscribing.unfollow(bob, signal)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  await expect(subscribing.unfollow('bob', signal)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
  expect(await text()).toBe(before)
  expect(done).toHaveLength(1)
})

test('as many are followed as a configuration may have, and no more', async () => {
  const lines = Array.from({ length: 1000 }, (_, number) => `${ada}/l${number}`)
  await writeFile(file, `[sync]\nfollow = ${JSON.stringify(lines)}\n`)
  const subscribing = open()
  await expect(subscribing.follow({ library: bob })).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    hint: expect.stringMatching(/unfollow/)
  })
  expect(await subscribing.follow({ library: `${ada}/l7`, content: 'all' })).toMatchObject({ content: 'all' })
})

test('what a flag of the daemon sets is not changed behind its back', async () => {
  const subscribing = open({ 'sync.follow': ada })
  const overridden = { code: 'CONFIG_OVERRIDDEN', message: 'sync.follow of this daemon comes from a flag' }
  await expect(subscribing.follow({ library: bob })).rejects.toMatchObject(overridden)
  await expect(subscribing.unfollow(ada, signal)).rejects.toMatchObject(overridden)
  expect(await text()).not.toContain('follow')
})

test('a file that was changed by hand is what a change begins with', async () => {
  const subscribing = open()
  await subscribing.follow({ library: ada })
  await writeFile(file, `[sync]\nfollow = ["${bob} all"] # by hand\n`)
  await subscribing.follow({ library: bob })
  expect(inForce, 'what is followed is what the file says').toMatchObject([{ writer: bob, content: 'all' }])
  await writeFile(file, '[sync]\nfollow = []\n')
  copies.add(bob)
  expect(await subscribing.unfollow(bob, signal)).toMatchObject({ hadCopy: true })
  expect(inForce).toEqual([])
})

test('a copy that is in use stays, and who asked is told how to let go of it', async () => {
  const subscribing = open()
  await subscribing.follow({ library: ada })
  forgetting = () => {
    throw new CatalogError('BUSY', 'this library is being followed already')
  }
  await expect(subscribing.unfollow(ada, signal)).rejects.toMatchObject({
    code: 'BUSY',
    hint: expect.stringMatching(`catalog sync ${ada} --forget$`)
  })
  expect(inForce).toEqual([])
})
