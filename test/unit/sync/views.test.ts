import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CONFLICT_STRATEGIES, type ConflictStrategy } from '../../../config/index.ts'
import {
  createAttestationRecord,
  createRegistry,
  createReleaseRecord,
  createStatusRecord,
  type NewRelease,
  type ReleaseRecord,
  type StatementRecord,
  StatementSet
} from '../../../library/index.ts'
import {
  conflictRules,
  isEquivocated,
  type NameView,
  strategyFor,
  type VersionView,
  type ViewPolicy,
  viewOfName
} from '../../../sync/index.ts'
import { formatPublicKey, type SigningKey } from '../../../trust/index.ts'
import { contentOf, keyOf, NOW_MS, small } from '../records/examples.ts'
import { openMemory, serialWriter } from '../registry/databases.ts'

const [ada, bob, eve] = [keyOf('ada'), keyOf('bob'), keyOf('eve')]
const [tester, builder] = [keyOf('tester'), keyOf('builder')]
const WEIGHTS = new Map([
  [formatPublicKey(tester.publicKey), 0.6],
  [formatPublicKey(builder.publicKey), 0.5]
])

const release = (key: SigningKey, over: Partial<NewRelease> = {}): ReleaseRecord =>
  createReleaseRecord(small(over), key)
const attest = (
  { release }: ReleaseRecord,
  key: SigningKey,
  statement = 'tested',
  over = {}
): StatementRecord => {
  const { name, version, owner, content } = release
  return createAttestationRecord(
    { name, version, owner, content, statement, holds: true, sequence: NOW_MS, ...over },
    key
  )
}

/** Of the highest version. */
function view(
  records: ReleaseRecord[],
  strategy: ConflictStrategy,
  over: Partial<ViewPolicy> & { said?: StatementRecord[] } = {}
): VersionView {
  const { said = [], ...policy } = over
  const claims = { records, statements: new StatementSet(said) }
  return viewOfName(claims, { strategy, weights: WEIGHTS, ...policy }).versions[0]!
}
const winnerOf = ({ winner }: VersionView): Uint8Array | undefined => winner?.owner

describe('a version that two owners claim', () => {
  const adas = release(ada)
  const bobs = release(bob, { content: contentOf('other'), sequence: NOW_MS + 1 })

  it('is whoever’s signed last, with newest-wins', () => {
    expect(winnerOf(view([adas, bobs], 'newest-wins'))).toEqual(bob.publicKey)
    const later = release(ada, { sequence: NOW_MS + 2 })
    expect(winnerOf(view([later, bobs], 'newest-wins'))).toEqual(ada.publicKey)
  })

  it('is that of the most weight, with consensus-wins: each key counts once, unknown ones nothing', () => {
    const one = attest(adas, builder)
    expect(winnerOf(view([adas, bobs], 'consensus-wins', { said: [one] }))).toEqual(ada.publicKey)
    const said = [one, attest(adas, builder, 'built'), attest(adas, eve), attest(bobs, tester)]
    const both = view([adas, bobs], 'consensus-wins', { said })
    expect(winnerOf(both)).toEqual(bob.publicKey)
    expect(new Map(both.claims.map(({ owner, weight }) => [formatPublicKey(owner), weight]))).toEqual(
      new Map([
        [formatPublicKey(ada.publicKey), 0.5],
        [formatPublicKey(bob.publicKey), 0.6]
      ])
    )
    const withdrawn = attest(bobs, tester, 'tested', { holds: false, sequence: NOW_MS + 1 })
    expect(winnerOf(view([adas, bobs], 'consensus-wins', { said: [...said, withdrawn] }))).toEqual(
      ada.publicKey
    )
  })

  it('is nobody’s with consensus-wins while nobody weighs anything, or two the same', () => {
    for (const said of [[], [attest(adas, eve)], [attest(adas, tester), attest(bobs, tester)]])
      expect(view([adas, bobs], 'consensus-wins', { said })).toMatchObject({ outcome: 'open' })
  })

  it('is shown with the words of both, with merge, where the content is the same', () => {
    const one = release(ada, { description: 'A', keywords: ['b', 'a'], links: { home: 'https://a.org' } })
    const two = release(bob, {
      sequence: NOW_MS + 1,
      keywords: ['c', 'a'],
      licence: 'MIT',
      links: { home: 'https://b.org', docs: 'https://d.org' }
    })
    const merged = view([one, two], 'merge')
    expect(merged).toMatchObject({
      outcome: 'merged',
      merged: {
        description: 'A',
        keywords: ['a', 'b', 'c'],
        licence: 'MIT',
        links: { docs: 'https://d.org', home: 'https://b.org' }
      }
    })
    expect(merged.winner).toBeUndefined()
    expect(view([adas, bobs], 'merge')).toMatchObject({ outcome: 'open' })
  })

  it('is nobody’s with keep-both and manual', () => {
    expect(view([adas, bobs], 'keep-both').outcome).toBe('kept')
    expect(view([adas, bobs], 'manual').outcome).toBe('open')
    for (const strategy of ['keep-both', 'manual'] as const)
      expect(winnerOf(view([adas, bobs], strategy))).toBeUndefined()
  })

  it('is the pinned owner’s whatever the strategy says, and nobody’s where that one has no claim', () => {
    const said = [attest(bobs, tester)]
    for (const strategy of CONFLICT_STRATEGIES) {
      const pinned = view([adas, bobs], strategy, { said, pin: ada.publicKey })
      expect([pinned.outcome, winnerOf(pinned)]).toEqual(['pinned', ada.publicKey])
      expect(view([bobs], strategy, { said, pin: ada.publicKey })).toMatchObject({ outcome: 'foreign' })
    }
  })

  it('does not go to another because its owner has yanked it', () => {
    const { name, version, content } = bobs.release
    const yank = createStatusRecord({ name, version, content, state: 'yanked', sequence: NOW_MS }, bob)
    expect(winnerOf(view([adas, bobs], 'newest-wins', { said: [yank] }))).toEqual(bob.publicKey)
  })
})

describe('a version that one owner claims', () => {
  it('stands where nobody else publishes the name', () => {
    for (const strategy of CONFLICT_STRATEGIES)
      expect(view([release(ada)], strategy)).toMatchObject({
        outcome: 'sole',
        winner: { owner: ada.publicKey }
      })
  })

  it('stands for itself no more than another where others publish the name', () => {
    const squatted = [release(ada), release(eve, { version: '9.9.9' })]
    for (const strategy of ['consensus-wins', 'keep-both', 'merge', 'manual'] as const)
      expect(winnerOf(view(squatted, strategy))).toBeUndefined()
    expect(winnerOf(view(squatted, 'newest-wins'))).toEqual(eve.publicKey)
  })

  it('is equivocated with two contents, whoever wins', () => {
    const twice = [release(ada), release(ada, { content: contentOf('other'), sequence: NOW_MS + 1 })]
    const { winner } = view(twice, 'manual')
    expect(isEquivocated(winner!)).toBe(true)
    expect(winner!.records.map(({ release }) => release.sequence)).toEqual([NOW_MS + 1, NOW_MS])
    const contested = view([...twice, release(bob)], 'newest-wins')
    expect([winnerOf(contested), isEquivocated(contested.winner!)]).toEqual([ada.publicKey, true])
  })
})

describe('the view of a name', () => {
  const record = fc
    .record({
      key: fc.constantFrom(ada, bob, eve),
      version: fc.constantFrom('1.0.0', '2.0.0', '2.0.0-rc.1'),
      content: fc.constantFrom('x', 'y'),
      sequence: fc.integer({ min: NOW_MS, max: NOW_MS + 2 }),
      keyword: fc.constantFrom('a', 'b', 'c')
    })
    .map(({ key, version, content, sequence, keyword }) =>
      release(key, { version, content: contentOf(content), sequence, keywords: [keyword] })
    )
  const policy = fc.record({
    strategy: fc.constantFrom(...CONFLICT_STRATEGIES),
    pin: fc.constantFrom(undefined, ada.publicKey, bob.publicKey)
  })
  const history = fc
    .tuple(fc.array(record, { minLength: 1, maxLength: 8 }), fc.array(fc.nat(), { maxLength: 6 }))
    .map(([records, picks]) => {
      const said = picks.map(at =>
        attest(records[at % records.length]!, at % 2 === 0 ? tester : builder, 'tested', {
          holds: at % 3 !== 0
        })
      )
      return { records, said }
    })
  const shown = ({ owners, versions }: NameView): unknown => [
    owners.map(formatPublicKey),
    versions.map(({ version, outcome, claims, winner, merged }) => ({
      version,
      outcome,
      merged,
      winner: winner && formatPublicKey(winner.owner),
      claims: claims.map(({ owner, weight, records }) => [
        formatPublicKey(owner),
        weight,
        records.map(({ id }) => id.toString())
      ])
    }))
  ]

  /** What a node makes of records that reach it in this order. */
  async function seenBy(
    order: Array<ReleaseRecord | StatementRecord>,
    rule: object,
    read?: 'reversed'
  ): Promise<unknown> {
    const database = await openMemory()
    const clock = { now: () => NOW_MS } as never
    const registry = createRegistry({ database, writer: serialWriter(database), clock })
    for (const record of order)
      if (record.kind === 'release') await registry.add(record.bytes)
      else await registry.addStatement(record.bytes)
    const records = await registry.versions('hello')
    const said = await Promise.all(records.map(({ release }) => registry.statements(release)))
    if (read === 'reversed') for (const list of [records, said]) list.reverse()
    const claims = { records, statements: new StatementSet(said.flat()) }
    return shown(viewOfName(claims, { strategy: 'manual', weights: WEIGHTS, ...rule }))
  }

  it('is the same on every node with the same set and policy, in whatever order the records came', async () => {
    const orders = history.chain(({ records, said }) => {
      const all = [...records, ...said]
      return fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), policy)
    })
    await fc.assert(
      fc.asyncProperty(orders, async ([all, shuffled, rule]) => {
        const expected = await seenBy(all, rule)
        expect(await seenBy(shuffled, rule)).toEqual(expected)
        expect(await seenBy(shuffled, rule, 'reversed')).toEqual(expected)
      }),
      { seed: 31, numRuns: 60 }
    )
  })

  it('gives nobody’s name to another: with a pin to nobody else, without one only where a strategy says so', () => {
    fc.assert(
      fc.property(history, policy, ({ records, said }, { strategy, pin }) => {
        const { owners, versions } = viewOfName(
          { records, statements: new StatementSet(said) },
          { strategy, weights: WEIGHTS, pin }
        )
        const choosing = strategy === 'newest-wins' || strategy === 'consensus-wins'
        return versions.every(({ winner, merged }) => {
          if (winner === undefined) return true
          if (merged !== undefined) return false
          if (pin !== undefined) return Buffer.compare(winner.owner, pin) === 0
          return owners.length === 1 || choosing
        })
      }),
      { seed: 32, numRuns: 300 }
    )
  })
})

describe('the strategy of a name', () => {
  const rules = conflictRules({
    strategy: 'manual',
    scopes: ['@acme consensus-wins', '@acme/tool merge', 'left-pad newest-wins'],
    attestors: [`${formatPublicKey(tester.publicKey)} 0.6`]
  })
  const chosen = (name: string, here: Record<string, string> = {}) =>
    strategyFor(name, rules, subject => here[subject])

  it('is that of the name, then of its scope, then the one for all', () => {
    expect(chosen('@acme/tool')).toEqual({ strategy: 'merge', subject: '@acme/tool', origin: 'config' })
    expect(chosen('@acme/other')).toEqual({ strategy: 'consensus-wins', subject: '@acme', origin: 'config' })
    expect(chosen('left-pad').strategy).toBe('newest-wins')
    expect(chosen('right-pad')).toEqual({ strategy: 'manual', origin: 'config' })
  })

  it('is what was set on this node, before what is configured for the same', () => {
    const here = { '@acme': 'keep-both', 'left-pad': 'merge', 'right-pad': 'nonsense' }
    expect(chosen('@acme/other', here)).toEqual({ strategy: 'keep-both', subject: '@acme', origin: 'node' })
    expect(chosen('@acme/tool', here).strategy).toBe('merge')
    expect(chosen('left-pad', here)).toMatchObject({ strategy: 'merge', origin: 'node' })
    expect(chosen('right-pad', here).strategy).toBe('manual')
  })

  it('has weights by key, and refuses what only looks like one', () => {
    expect(rules.weights).toEqual(new Map([[formatPublicKey(tester.publicKey), 0.6]]))
    const entry = `z6Mk${'1'.repeat(44)} 1`
    expect(() => conflictRules({ strategy: 'manual', scopes: [], attestors: [entry] })).toThrow(
      expect.objectContaining({ code: 'KEY_INVALID' })
    )
  })
})
