/** What the admin API tells of releases is the same with what is kept as without it, whatever has changed, on a real database with the real worker. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import {
  createReleaseRecord,
  createStatusRecord,
  type Library,
  type NewRelease,
  type ReleaseRecord
} from '../../../library/index.ts'
import { Blocking } from '../../../node/services/blocking.ts'
import { ConflictPolicies } from '../../../node/services/conflict-policies.ts'
import { ReleaseAccess } from '../../../node/services/release-access.ts'
import { createReleases, type ReleasesModules } from '../../../node/services/releases.ts'
import type { ReleaseService } from '../../../node/services/types.ts'
import { conflictRules, LibrarySets } from '../../../sync/index.ts'
import { formatPublicKey, loadNodeKey } from '../../../trust/index.ts'
import { openTestLibrary } from '../../library.ts'
import { makeTar } from '../content/fakes.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'

const { signal } = new AbortController()
const [ada, bob] = [keyOf('ada'), keyOf('bob')]
const release = (over: Partial<NewRelease> = {}, key = ada): ReleaseRecord =>
  createReleaseRecord(small({ content: contentOf(over.version ?? 'hello'), ...over }), key)
const yank = ({ release: { name, version, content } }: ReleaseRecord) =>
  createStatusRecord({ name, version, content, state: 'yanked', reason: 'bad', sequence: NOW_MS + 1 }, ada)

let home: string
let library: Library
let sets: LibrarySets
let blocking: Blocking
let policies: ConflictPolicies
let kept: ReleaseService
let plain: ReleaseService

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'catalog-releases-'))
  const clock = { ...systemClock, now: () => NOW_MS }
  library = await openTestLibrary({ log: silentLogger, clock }, { home })
  const { publicKey } = (await loadNodeKey(join(home, 'node.key'))).key
  const { registry, content, database, remembered } = library
  sets = new LibrarySets({ library, clock, log: silentLogger }, { writer: publicKey })
  blocking = await Blocking.open({ database, clock, logger: silentLogger })
  const rules = conflictRules({ strategy: 'manual', scopes: [], attestors: [] } as never)
  policies = new ConflictPolicies({ database }, { rules })
  const access = new ReleaseAccess({ registry, sets })
  // Nobody else is asked.
  const modules = { registry, content, policies, blocking, sets, access, clock } as unknown as ReleasesModules
  kept = createReleases({ ...modules, remembered })
  plain = createReleases({ ...modules, remembered: { of: (_key, read) => read() } })
})

afterEach(async () => {
  await library.close()
  await rm(home, { recursive: true })
})

/** All that is asked about a name and its versions, failures too. */
async function answersOf(service: ReleaseService): Promise<unknown[]> {
  const specs = ['hello', 'hello@1.0.0', 'hello@^1.0.0', 'hello@2']
  const publishers = [{}, { publisher: formatPublicKey(bob.publicKey) }]
  const asked = [
    () => service.local('hello', signal),
    () => service.list(1),
    () => service.list(10),
    ...specs.flatMap(spec =>
      publishers.map(by => () => service.info({ spec, network: false, ...by }, signal))
    )
  ]
  return await Promise.all(asked.map(ask => ask().catch(({ code }: { code: string }) => code)))
}

/** Asked twice, so that the second answer is one that was kept, wherever one is. */
async function expectSame(): Promise<void> {
  const now = await answersOf(plain)
  expect(await answersOf(kept)).toEqual(now)
  expect(await answersOf(kept)).toEqual(now)
}

async function ingest(): Promise<ReleaseRecord['release']['content']> {
  const open = await library.content.beginIngest({})
  await open.write(await makeTar([{ name: 'file', body: Buffer.from('of a release') }]))
  return (await open.finish()).content
}

describe('what is told of releases', () => {
  const publish = (record: ReleaseRecord) => library.registry.publish(record.bytes)
  const forBob = release({ sequence: NOW_MS + 2 }, bob)

  test('is what is so now, after each thing that may change it', async () => {
    await expectSame()
    const first = release()
    const steps: Array<() => Promise<unknown>> = [
      () => publish(first),
      () => publish(release({ version: '1.1.0' })),
      () => publish(release({ name: 'aaa' })),
      () => library.registry.publishStatement(yank(first).bytes),
      () => library.registry.add(forBob.bytes),
      () => policies.set('hello', 'newest-wins', signal),
      () => policies.set('hello', undefined, signal),
      () => kept.setPin('hello', formatPublicKey(bob.publicKey), signal),
      () => kept.setPin('hello', formatPublicKey(ada.publicKey), signal),
      () => blocking.add('hello@1.1.0', 'no'),
      () => blocking.add(formatPublicKey(ada.publicKey), undefined),
      () => blocking.remove(formatPublicKey(ada.publicKey)),
      () => blocking.remove('hello@1.1.0'),
      () => library.registry.remove(first.id),
      () => library.registry.remove(forBob.id)
    ]
    for (const step of steps) {
      await step()
      await expectSame()
    }
    expect(library.remembered.counts.found).toBeGreaterThan(library.remembered.counts.read / 2)
  })

  test('is whether the content is here, and pinned', async () => {
    const record = release({ content: contentOf('elsewhere') })
    await publish(record)
    await expectSame()
    const content = await ingest()
    const local = release({ version: '1.2.0', content })
    await publish(local)
    expect(await kept.info({ spec: 'hello@1.2.0', network: false }, signal)).toMatchObject({
      local: 'complete',
      kept: false
    })
    await library.content.pin(local.release)
    expect(await kept.info({ spec: 'hello@1.2.0', network: false }, signal)).toMatchObject({ kept: true })
    await expectSame()
    await library.content.unpin(local.release)
    await expectSame()
    await library.content.remove(content)
    expect(await kept.info({ spec: 'hello@1.2.0', network: false }, signal)).not.toMatchObject({
      local: 'complete'
    })
    await expectSame()
  })

  test('is whom it is for: closed, opened, and gone with the last library that had it', async () => {
    await sets.access.create({ name: 'team', access: 'restricted', members: [] } as never)
    const { libraryId } = await sets.access.ownNamed('team')
    await library.registry.publish(release().bytes, { libraryId })
    expect(await kept.local('hello', signal)).toMatchObject([{ access: 'restricted' }])
    await expectSame()
    await publish(release())
    expect(await kept.local('hello', signal)).toMatchObject([{ access: 'public' }])
    await expectSame()
    await library.registry.publish(release({ version: '2.0.0' }).bytes, { libraryId })
    await expectSame()
    await sets.access.delete('team')
    await sets.finishCopies(signal)
    await expectSame()
  })
})
