/** The contents of a daemon by its command line: listed, let go of, and copied to a home that another daemon then runs on. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { pseudoRandom } from '../unit/content/fakes.ts'
import { cliOk, expectRefusal } from './support/cli.ts'
import { type TestDaemon, TestNet } from './support.ts'

const SIZE_BYTES = 1_000_000
let net: TestNet

beforeEach(async () => {
  net = await TestNet.create()
})

afterEach(() => net.destroy())

const publish = (daemon: TestDaemon, version: string) =>
  daemon.publish({ name: 'pack', version, files: { data: pseudoRandom(`pack ${version}`, SIZE_BYTES) } })

interface Item {
  content: string
  releases: string[]
}

test('lists, lets go of and copies contents, and the other home serves them', async () => {
  const daemon = await net.start('one')
  const at = (...args: string[]) => cliOk(args, { home: daemon.home.root })
  const kept = await publish(daemon, '1.0.0')
  const gone = await publish(daemon, '2.0.0')
  await at('pin', 'pack@1.0.0')
  const { contents } = (await at('content', 'list')) as { contents: Item[] }
  expect(contents.toSorted((a, b) => a.releases[0]!.localeCompare(b.releases[0]!))).toMatchObject([
    { state: 'complete', sizeBytes: SIZE_BYTES, releases: ['pack@1.0.0'], pins: ['pack@1.0.0'], isOwn: true },
    { state: 'complete', sizeBytes: SIZE_BYTES, releases: ['pack@2.0.0'], pins: [], isOwn: true }
  ])
  const content = (record: typeof kept.record) => record.release.content.toString()
  await expectRefusal(
    ['content', 'remove', content(kept.record)],
    { code: 'RELEASE_PINNED', names: ['pinned'] },
    { home: daemon.home.root }
  )
  expect(await at('content', 'remove', content(gone.record))).toEqual({ content: content(gone.record) })
  expect(await at('info', 'pack@2.0.0', '--local')).toMatchObject({ version: '2.0.0' })

  const other = await net.home('other')
  const copied = (await at('content', 'copy', '--to', other.root)) as Record<string, unknown>
  expect(copied).toMatchObject({ to: other.root, ok: true, releases: 1, failed: 0, reusedBytes: 0 })
  expect(copied.copiedBytes).toBeGreaterThanOrEqual(SIZE_BYTES)
  expect(await at('content', 'copy', '--to', other.root)).toMatchObject({
    copiedBytes: 0,
    reusedBytes: SIZE_BYTES
  })

  const second = await net.start('other')
  const tar = await second.api('GET', `/v1/contents/${content(kept.record)}/tar`)
  expect(tar.trailers['x-catalog-status']).toBe('ok')
  expect(tar.bytes.indexOf(Buffer.from(pseudoRandom('pack 1.0.0', SIZE_BYTES)))).toBeGreaterThan(0)
  const { packages } = await second.ok('GET', '/v1/packages')
  expect(packages).toMatchObject([{ version: '1.0.0', local: 'complete', kept: true }])
  // A daemon runs there now: it is named.
  await expectRefusal(
    ['content', 'copy', '--to', other.root],
    { code: 'HOME_LOCKED', names: [`process ${second.process.pid}`] },
    { home: daemon.home.root }
  )
  await expectRefusal(
    ['content', 'copy', '--to', daemon.home.root],
    { code: 'INVALID_ARGUMENT', names: ['this node itself'] },
    { home: daemon.home.root }
  )
})
