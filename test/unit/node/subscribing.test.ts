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
import type { ConfigService, FollowRequest } from '../../../node/services/types.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { formatPublicKey } from '../../../trust/index.ts'
import { keyOf } from '../records/examples.ts'

const [self, ada, bob] = ['self', 'ada', 'bob'].map(name => peerOf(keyOf(name).publicKey)) as [
  string,
  string,
  string
]
const KEY = formatPublicKey(keyOf('ada').publicKey)
const { signal } = new AbortController()

let folder: string
let file: string
let inForce: Subscription[]
/** What is told and done, in turn. */
let done: string[]
/** Addresses that copies are here of. */
let copies: Set<string>
let forgetting: () => void
let config: ConfigService
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
  const reload = (text?: string) => loadConfig({ file, flags, ...(text === undefined ? {} : { text }) })
  inForce = subscriptionsOf(reload().values.sync.follow)
  const sink = { write: () => {}, close: async () => {} }
  config = createConfigService(
    {
      loaded: reload(),
      reload,
      logging: { level: 'info', sink } as never,
      throttle: { configure: () => undefined },
      tune: () => undefined,
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

test('a filter is one thing: what is given takes the place of the one before, and else it stays', async () => {
  const subscribing = open()
  const ways: object[] = []
  const follow = async (over: object): Promise<void> => {
    ways.push(await subscribing.follow({ library: ada, ...over }))
  }
  await follow({ content: 'all', type: 'vm', tag: 'ci' })
  await follow({ prefix: '@acme/' })
  await follow({ mode: 'union', content: 'none' })
  await follow({ publisher: `did:key:${KEY}` })
  expect(done).toEqual([
    `in force: ${ada} all type:vm tag:ci`,
    `in force: ${ada} all prefix:@acme/`,
    `in force: ${ada} none union prefix:@acme/`,
    `in force: ${ada} none union publisher:${KEY}`
  ])
  expect(ways.at(-1)).toMatchObject({ mode: 'union', publisher: KEY })
  await expect(follow({ publisher: KEY })).rejects.toMatchObject({
    code: 'ALREADY_FOLLOWED',
    message: `${ada} is followed already in that way: content none, mode union, publisher:${KEY}`
  })
  await follow({ everything: true })
  expect(inForce).toEqual([{ writer: ada, name: 'home', content: 'none', mode: 'union' }])
  await expect(follow({ everything: true })).rejects.toMatchObject({ code: 'ALREADY_FOLLOWED' })
})

test.each<[Partial<FollowRequest>, string, RegExp]>([
  [{ tag: 'ci' }, 'INVALID_ARGUMENT', /of this library neither does/],
  [{ content: 'all', tag: 'two words' }, 'INVALID_ARGUMENT', /the tag 'two words' has a space/],
  [{ content: 'all', category: 'a,b' }, 'INVALID_ARGUMENT', /the category 'a,b'/],
  [{ content: 'all', tag: 'del\u007f' }, 'INVALID_ARGUMENT', /control character/],
  [{ content: 'all', tag: 'ci', everything: true }, 'INVALID_ARGUMENT', /--everything takes the filter away/],
  [{ content: 'all', publisher: 'z6Mkada' }, 'KEY_INVALID', /not an Ed25519 public key/]
])('%j is refused, and changes nothing', async (over, code, message) => {
  const before = await text()
  const refusal = { code, message: expect.stringMatching(message) }
  await expect(open().follow({ library: ada, ...over })).rejects.toMatchObject(refusal)
  expect([await text(), done]).toEqual([before, []])
})

test('a filter that would have nothing to choose any more has to go first', async () => {
  const subscribing = open()
  await subscribing.follow({ library: ada, content: 'all', tag: 'ci' })
  const less = subscribing.follow({ library: ada, content: 'none' })
  await expect(less).rejects.toMatchObject({ hint: expect.stringMatching(/--everything/) })
  await subscribing.follow({ library: ada, content: 'none', everything: true })
  expect(done.at(-1)).toBe(`in force: ${ada}`)
})

test('a key that is none does not get into the file, where the next start would fail at it', async () => {
  open()
  const before = await text()
  const line = `${ada} all publisher:z6Mk${'1'.repeat(44)}`
  await expect(config.set('sync.follow', line)).rejects.toMatchObject({ code: 'CONFIG_BAD_VALUE' })
  expect(await text()).toBe(before)
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
