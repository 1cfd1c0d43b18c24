import { describe, expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import {
  createAttestationRecord,
  createRegistry,
  createReleaseRecord,
  createStatusRecord,
  MAX_ATTESTATIONS_READ,
  type NewRelease,
  type Registry,
  type ReleaseRecord,
  type StatementRecord
} from '../../../library/index.ts'
import { ConflictPolicies } from '../../../node/services/conflict-policies.ts'
import { createConflicts } from '../../../node/services/conflicts.ts'
import type { FreshnessModules } from '../../../node/services/freshness.ts'
import { createReleases } from '../../../node/services/releases.ts'
import { type ResolvingModules, resolveRelease } from '../../../node/services/resolving.ts'
import { type ConflictRules, conflictRules } from '../../../sync/index.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openMemory, serialWriter, type TestDatabase } from '../registry/databases.ts'
import { asGiven } from './as-given.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const [ada, bob, tester] = [keyOf('ada'), keyOf('bob'), keyOf('tester')]
const { signal } = new AbortController()
const text = (key: SigningKey): string => formatPublicKey(key.publicKey)
const release = (key: SigningKey, over: Partial<NewRelease> = {}): ReleaseRecord =>
  createReleaseRecord(small({ content: contentOf(text(key)), ...over }), key)
const attest = ({ release }: ReleaseRecord, key: SigningKey, statement = 'tested'): StatementRecord => {
  const { name, version, owner, content } = release
  return createAttestationRecord(
    { name, version, owner, content, statement, holds: true, sequence: NOW_MS },
    key
  )
}

const CONFIGURED = { strategy: 'manual', scopes: [], attestors: [`${text(tester)} 2`] } as const

interface Node {
  database: TestDatabase
  registry: Registry
  policies: ConflictPolicies
  modules: ResolvingModules & FreshnessModules
  /** What the only peer holds and says. */
  peer: { releases: ReleaseRecord[]; statements: StatementRecord[] }
}

async function node(config: Partial<Parameters<typeof conflictRules>[0]> = {}): Promise<Node> {
  const database = await openMemory()
  const clock = { ...systemClock, now: () => NOW_MS }
  const registry = createRegistry({ database, writer: serialWriter(database), clock })
  const rules: ConflictRules = conflictRules({ ...CONFIGURED, ...config } as never)
  const policies = new ConflictPolicies({ database }, { rules })
  const peer: Node['peer'] = { releases: [], statements: [] }
  const network = {
    connected: () => ['p1'],
    async *holders() {
      yield { peerId: 'p1', source: 'peer', ageMs: 0 }
    },
    releases: async () => peer
  }
  const modules = {
    registry,
    policies,
    blocking: nothingBlocked,
    sets: { access: { having: async () => [] } },
    clock,
    logger: silentLogger,
    content: { localState: () => 'none', isPinned: () => false },
    network,
    topology: asGiven
  } as unknown as ResolvingModules & FreshnessModules
  return { database, registry, policies, modules, peer }
}

const versionsOf = async (registry: Registry): Promise<string[]> =>
  (await registry.versions('hello')).map(
    ({ release }) => `${release.version} ${formatPublicKey(release.owner)}`
  )

describe('claims that contradict each other', () => {
  const [adas, bobs] = [release(ada), release(bob)]
  const install = (modules: ResolvingModules, spec = 'hello') =>
    resolveRelease(modules, { spec, network: true }, signal)

  it('are kept when an install meets them, and listed', async () => {
    const { modules, peer, registry } = await node()
    peer.releases = [adas, bobs, release(ada, { version: '0.9.0' })]
    await expect(install(modules)).rejects.toMatchObject({ code: 'OWNER_AMBIGUOUS' })
    expect(await versionsOf(registry)).toEqual(
      [adas, bobs].map(({ release }) => `1.0.0 ${formatPublicKey(release.owner)}`).sort()
    )
    const { conflicts } = await createConflicts(modules).list(10, undefined, signal)
    expect(conflicts).toMatchObject([
      { name: 'hello', outcome: 'open', strategy: 'manual', owners: 2, versions: ['1.0.0'], pinned: null }
    ])
  })

  it('are not kept where the owner is settled, but for an owner that contradicts itself', async () => {
    const { modules, peer, registry } = await node()
    await registry.pinOwner('hello', ada.publicKey)
    const twice = release(ada, { content: contentOf('other') })
    peer.releases = [adas, bobs, release(bob, { content: contentOf('another') })]
    expect((await install(modules)).record).toEqual(adas)
    expect(await versionsOf(registry)).toEqual([])
    peer.releases = [adas, bobs, twice]
    await expect(install(modules, 'hello@1.0.0')).rejects.toMatchObject({ code: 'RELEASE_EQUIVOCATED' })
    expect(await versionsOf(registry)).toEqual([`1.0.0 ${text(ada)}`, `1.0.0 ${text(ada)}`])
    const { conflicts } = await createConflicts(modules).list(10, undefined, signal)
    expect(conflicts).toMatchObject([{ outcome: 'pinned', equivocated: true, owners: 1, pinned: text(ada) }])
  })

  it('fill no disk: sixteen of a name, however often others come', async () => {
    const { modules, peer, registry } = await node()
    for (let round = 0; round < 3; round++) {
      peer.releases = Array.from({ length: 20 }, () => release(SigningKey.generate()))
      await expect(install(modules)).rejects.toMatchObject({ code: 'OWNER_AMBIGUOUS' })
    }
    expect(await versionsOf(registry)).toHaveLength(16)
  })

  it('are shown with evidence: what counts, what it weighs, what its owner says', async () => {
    const { modules, peer } = await node()
    const { name, version, content } = bobs.release
    peer.releases = [adas, bobs]
    peer.statements = [
      attest(adas, tester),
      attest(bobs, keyOf('unknown')),
      createStatusRecord({ name, version, content, state: 'yanked', reason: 'mine', sequence: NOW_MS }, bob)
    ]
    const shown = await createConflicts(modules).show('hello', true, signal)
    expect(new Map(shown.claimants.map(claimant => [claimant.publisher, claimant]))).toMatchObject(
      new Map([
        [
          text(ada),
          {
            weight: 2,
            claims: [
              {
                id: adas.id.toString(),
                counts: false,
                attestations: [{ signer: text(tester), statement: 'tested', weight: 2 }]
              }
            ]
          }
        ],
        [text(bob), { weight: 0, claims: [{ status: 'yanked', reason: 'mine' }] }]
      ])
    )
    // What weighs was kept with the claims: the same without the network, but for the word of an unknown key.
    const local = await createConflicts(modules).show('hello', false, signal)
    expect(local.claimants.map(({ weight }) => weight)).toEqual(shown.claimants.map(({ weight }) => weight))
    expect(
      local.claimants.flatMap(({ claims }) => claims.flatMap(({ attestations }) => attestations))
    ).toHaveLength(1)
  })
})

describe('a decision', () => {
  const [adas, bobs] = [release(ada), release(bob, { sequence: NOW_MS + 1 })]

  async function contested(config = {}): Promise<Node> {
    const made = await node(config)
    await made.registry.add(adas.bytes)
    await made.registry.add(bobs.bytes)
    return made
  }
  const meant = async (modules: ResolvingModules): Promise<string> => {
    const { record } = await resolveRelease(modules, { spec: 'hello', network: false }, signal)
    return formatPublicKey(record.release.owner)
  }

  it('for an owner pins the name; a key that publishes nothing is refused', async () => {
    const { modules, registry } = await contested()
    const conflicts = createConflicts(modules)
    expect(await conflicts.resolve('hello', { owner: text(bob) }, signal)).toMatchObject({
      pinned: text(bob)
    })
    expect(await meant(modules)).toBe(text(bob))
    const wrong = conflicts.resolve('hello', { owner: text(tester) }, signal)
    await expect(wrong).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' })
    expect(registry.ownerPin('hello')).toEqual(bob.publicKey)
  })

  it('of those who weigh something is heard, whatever others attest', async () => {
    const { modules, registry } = await contested({ strategy: 'consensus-wins' })
    const first = Array.from({ length: 20 }, (_, number) => keyOf(`stray ${number}`)).find(
      ({ publicKey }) => Buffer.compare(publicKey, tester.publicKey) < 0
    )!
    for (let word = 0; word < MAX_ATTESTATIONS_READ; word++)
      await registry.addStatement(attest(adas, first, `word-${word}`).bytes)
    await registry.addStatement(attest(adas, tester).bytes)
    expect(await meant(modules)).toBe(text(ada))
    const told = await registry.stored(adas.id)
    expect(told?.statements, 'and peers are told no more').toHaveLength(MAX_ATTESTATIONS_READ)
  })

  it('for a strategy holds from then on, over the configured one, until it is cleared', async () => {
    const { modules, database } = await contested({ scopes: ['hello keep-both'] })
    const conflicts = createConflicts(modules)
    await expect(meant(modules)).rejects.toMatchObject({ code: 'OWNER_AMBIGUOUS' })
    const set = await conflicts.resolve('hello', { strategy: 'newest-wins' }, signal)
    expect(set).toEqual({
      name: 'hello',
      strategy: 'newest-wins',
      origin: 'node',
      subject: 'hello',
      pinned: null
    })
    expect(await meant(modules)).toBe(text(bob))
    // Another life of the daemon on the same database.
    const rules = conflictRules({ ...CONFIGURED, attestors: [], scopes: ['hello keep-both'] } as never)
    expect(new ConflictPolicies({ database }, { rules }).of('hello').strategy).toBe('newest-wins')
    const cleared = await conflicts.resolve('hello', { strategy: undefined }, signal)
    expect(cleared).toMatchObject({ strategy: 'keep-both', origin: 'config', subject: 'hello' })
    await expect(meant(modules)).rejects.toMatchObject({ code: 'OWNER_AMBIGUOUS' })
  })

  it('for a scope holds for the names in it', async () => {
    const { modules, policies } = await contested()
    await createConflicts(modules).resolve('@acme', { strategy: 'newest-wins' }, signal)
    expect(policies.of('@acme/tool')).toMatchObject({ strategy: 'newest-wins', subject: '@acme' })
    expect(policies.of('hello').strategy).toBe('manual')
    for (const subject of ['@', '@a b', 'No', '@acme/'])
      await expect(
        createConflicts(modules).resolve(subject, { strategy: 'merge' }, signal)
      ).rejects.toMatchObject({
        code: 'NAME_INVALID'
      })
  })

  it('are not made of a name that nobody has heard of', async () => {
    const { modules, registry } = await node()
    const conflicts = createConflicts(modules)
    const shown = () => conflicts.show('hello', false, signal)
    await expect(shown()).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' })
    await registry.pinOwner('hello', ada.publicKey, signal)
    expect(await shown()).toMatchObject({ pinned: text(ada), claimants: [] })
  })

  it('by merging shows the words of all and says that it did', async () => {
    const made = await node({ strategy: 'merge' })
    const content = contentOf('same')
    for (const [key, keywords] of [
      [ada, ['a']],
      [bob, ['b']]
    ] as const)
      await made.registry.add(release(key, { content, keywords: [...keywords] }).bytes)
    const access = { of: async () => 'public' as const, libraries: async () => [] }
    const remembered = { of: async <T>(_key: string, read: () => Promise<T>) => await read() }
    const modules = { ...made.modules, blocking: nothingBlocked, access, remembered }
    const info = await createReleases(modules).info({ spec: 'hello', network: false }, signal)
    expect(info).toMatchObject({
      keywords: ['a', 'b'],
      conflict: { outcome: 'merged', strategy: 'merge', claimants: [text(ada), text(bob)].sort() }
    })
    await expect(meant(made.modules)).rejects.toMatchObject({ code: 'OWNER_AMBIGUOUS' })
  })
})

describe('contested names', () => {
  it('come page by page, each once, and those of one owner not at all', async () => {
    const { registry } = await node()
    const names = Array.from({ length: 7 }, (_, at) => `p${at}`)
    for (const name of names) {
      await registry.add(release(ada, { name }).bytes)
      await registry.add(release(ada, { name, version: '2.0.0' }).bytes)
      if (name !== 'p3')
        await registry.add(release(bob, { name, version: name === 'p5' ? '3.0.0' : '2.0.0' }).bytes)
    }
    await registry.add(release(ada, { name: 'p3', content: contentOf('other') }).bytes)
    await registry.add(release(ada, { name: 'q' }).bytes)
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = await registry.contested({ limit: 3, ...(after === undefined ? {} : { after }) })
      seen.push(...page.names)
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(names)
  })
})
