import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import {
  compareVersions,
  createAttestationRecord,
  createRecord,
  createRegistry,
  createReleaseRecord,
  createStatusRecord,
  MAX_ATTESTATIONS_READ,
  type Registry,
  type ReleaseRecord,
  releaseKey,
  type SignedRecord
} from '../../../library/index.ts'
import {
  type Control,
  createControl,
  getRecords,
  type ListReleases,
  listReleases,
  RecordClient,
  serveRecords
} from '../../../protocols/index.ts'
import { MAX_STATEMENTS_PER_ANSWER } from '../../../protocols/records/types.ts'
import { newPeerId } from '../node/following-world.ts'
import { keyOf, small } from '../records/examples.ts'
import { openMemory, serialWriter } from '../registry/databases.ts'
import { ManualClock } from './manual-clock.ts'
import { introduce, withNodes } from './nodes.ts'

const recordOf = (version: string, description = 'short', name = 'hello'): ReleaseRecord =>
  createReleaseRecord(small({ name, version, description }), keyOf('ada'))

/** 70 releases, of which some are large enough that an answer fills before its count. */
const RELEASES = Array.from({ length: 70 }, (_, i) =>
  recordOf(`1.0.${i}`, i % 2 === 0 ? 'x'.repeat(4000) : 'short')
)

const yankOf = ({ release: { name, version, content } }: ReleaseRecord): SignedRecord =>
  createStatusRecord({ name, version, content, state: 'yanked', sequence: 1 }, keyOf('ada'))

const attestationOf = ({ release }: ReleaseRecord, statement: string): SignedRecord => {
  const { name, version, owner, content } = release
  return createAttestationRecord(
    { name, version, owner, content, statement, holds: true, sequence: 1 },
    keyOf('bob')
  )
}

async function registryOf(records: readonly ReleaseRecord[]): Promise<Registry> {
  const database = await openMemory()
  const registry = createRegistry({ database, writer: serialWriter(database), clock: systemClock })
  for (const { bytes } of records) await registry.add(bytes)
  return registry
}

const highestFirst = (a: ReleaseRecord, b: ReleaseRecord): number =>
  compareVersions(b.release.version, a.release.version)

async function withControls(
  run: (asker: Control, server: Control, peer: Parameters<Control['request']>[0]) => Promise<void>
): Promise<void> {
  await withNodes(2, async ([first, second]) => {
    const modules = { log: silentLogger, clock: systemClock }
    const options = { networkId: 'test', agent: 'test/1' }
    const asker = createControl({ libp2p: first!, ...modules }, options)
    const server = createControl({ libp2p: second!, ...modules }, options)
    await Promise.all([asker.start(), server.start()])
    try {
      await run(asker, server, await introduce(first!, second!))
    } finally {
      await Promise.all([asker.stop(), server.stop()])
    }
  })
}

describe('records', () => {
  it('come by id, any number of them, without those that are unknown', async () => {
    await withControls(async (asker, server, peer) => {
      serveRecords({ control: server, registry: await registryOf(RELEASES), clock: systemClock })
      const unknown = recordOf('9.9.9').id
      const ids = [unknown, ...RELEASES.map(({ id }) => id)]
      const { releases } = await new RecordClient({ control: asker, clock: systemClock }).get(peer, ids)
      expect(releases.map(({ id }) => String(id))).toEqual(RELEASES.map(({ id }) => String(id)))
    })
  })

  it('come by name, page by page', async () => {
    await withControls(async (asker, server, peer) => {
      const registry = await registryOf([...RELEASES, recordOf('1.0.0', 'short', 'other')])
      serveRecords({ control: server, registry, clock: systemClock })
      const client = new RecordClient({ control: asker, clock: systemClock })
      const seen: string[] = []
      let after: Uint8Array | undefined
      let pages = 0
      do {
        const page = await client.list(peer, 'hello', {
          limit: 30,
          ...(after === undefined ? {} : { after })
        })
        seen.push(...page.releases.map(({ id }) => String(id)))
        after = page.next
        pages++
      } while (after !== undefined)
      expect(seen).toEqual([...RELEASES].sort(highestFirst).map(({ id }) => String(id)))
      expect(pages).toBe(3)
      expect((await client.list(peer, 'nobody', { limit: 5 })).releases).toEqual([])
      const senseless = client.list(peer, 'hello', { limit: 5, after: recordOf('7.7.7').id.bytes })
      await expect(senseless).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
    })
  })

  it('of one version, of a range and of one owner come without the others', async () => {
    await withControls(async (asker, server, peer) => {
      const bob = createReleaseRecord(small({ name: 'hello', version: '1.0.3' }), keyOf('bob'))
      serveRecords({ control: server, registry: await registryOf([...RELEASES, bob]), clock: systemClock })
      const client = new RecordClient({ control: asker, clock: systemClock })
      const listed = async (filter: Partial<ListReleases>): Promise<string[]> => {
        const { releases } = await client.list(peer, 'hello', { limit: 64, ...filter })
        return releases.map(({ release }) => release.version)
      }
      expect(await listed({ version: '1.0.3' })).toEqual(['1.0.3', '1.0.3'])
      expect(await listed({ version: '1.0.3', owner: bob.release.owner })).toEqual(['1.0.3'])
      expect(await listed({ owner: bob.release.owner })).toEqual(['1.0.3'])
      expect(await listed({ range: '>=1.0.2 <1.0.4', owner: RELEASES[0]!.release.owner })).toEqual([
        '1.0.3',
        '1.0.2'
      ])
      expect(await listed({ version: '9.9.9' })).toEqual([])
    })
  })

  it('are not listed without end for one peer', async () => {
    await withControls(async (asker, server, peer) => {
      const clock = new ManualClock()
      serveRecords({ control: server, registry: await registryOf(RELEASES.slice(0, 3)), clock })
      const client = new RecordClient({ control: asker, clock: systemClock })
      const ask = (): Promise<unknown> => client.list(peer, 'hello', { limit: 1 })
      const asked = await Promise.allSettled(Array.from({ length: 120 }, ask))
      expect(asked.every(({ status }) => status === 'fulfilled')).toBe(true)
      await expect(
        (async () => {
          for (let i = 0; i < 300; i++) await ask()
        })()
      ).rejects.toMatchObject({ code: 'BUSY', details: { retryAfterMs: expect.any(Number) } })
      await clock.advance(1000)
      await ask()
    })
  })

  it('that are forged, or were not asked for, are dropped and reported', async () => {
    await withControls(async (asker, server, peer) => {
      const [good, other] = [recordOf('1.0.0'), recordOf('2.0.0', 'short', 'other')]
      const forged = Uint8Array.from(good.bytes)
      forged[forged.length - 5]! ^= 1
      server.handle(getRecords, () => ({
        records: [forged, other.bytes, good.bytes, new Uint8Array(40), good.bytes]
      }))
      let listed = [forged, other.bytes, good.bytes]
      server.handle(listReleases, () => ({ records: listed }))
      const violations: CatalogError[] = []
      const client = new RecordClient({
        control: asker,
        clock: systemClock,
        onViolation: (_, error) => violations.push(error)
      })
      expect((await client.get(peer, [good.id])).releases.map(({ id }) => String(id))).toEqual([
        String(good.id)
      ])
      // Forged, not asked for, no record, and the same one twice: one report for an answer.
      expect(violations).toMatchObject([
        { code: 'PROTOCOL_VIOLATION', message: expect.stringMatching(/4 of 5, the first SIGNATURE_INVALID/) }
      ])
      const page = await client.list(peer, 'hello', { limit: 5 })
      expect(page.releases.map(({ id }) => String(id))).toEqual([String(good.id)])
      expect(violations[1]).toMatchObject({ message: expect.stringContaining('2 of 3') })
      // Nothing but lies is no empty answer.
      listed = [forged]
      await expect(client.list(peer, 'hello', { limit: 5 })).rejects.toMatchObject({
        code: 'PROTOCOL_VIOLATION'
      })
      expect(violations).toHaveLength(3)
    })
  })

  it('bring what is said of them, by name and by id', async () => {
    await withControls(async (asker, server, peer) => {
      const record = recordOf('1.0.0')
      const said = [yankOf(record), attestationOf(record, 'tested'), attestationOf(record, 'built')]
      const registry = await registryOf([record, recordOf('1.1.0')])
      for (const { bytes } of said) await registry.addStatement(bytes)
      serveRecords({ control: server, registry, clock: systemClock })
      const violations: CatalogError[] = []
      const client = new RecordClient({
        control: asker,
        clock: systemClock,
        onViolation: (_, error) => violations.push(error)
      })
      const idsOf = (statements: SignedRecord[]): string[] => statements.map(({ id }) => String(id)).sort()
      const listed = await client.list(peer, 'hello', { limit: 64 })
      expect(listed.releases).toHaveLength(2)
      expect(idsOf(listed.statements)).toEqual(idsOf(said))
      const got = await client.get(peer, [record.id])
      expect(idsOf(got.statements)).toEqual(idsOf(said))
      // A statement is no release: it has no place of its own in an answer.
      expect((await client.get(peer, [said[0]!.id])).releases).toEqual([])
      expect(violations).toEqual([])
    })
  })

  it('fill several answers when much is said of them', async () => {
    await withControls(async (asker, server, peer) => {
      const records = Array.from({ length: 12 }, (_, i) => recordOf(`1.0.${i}`))
      const registry = await registryOf(records)
      for (const record of records)
        for (let i = 0; i < MAX_ATTESTATIONS_READ + 1; i++)
          await registry.addStatement(attestationOf(record, `word-${i}`).bytes)
      serveRecords({ control: server, registry, clock: systemClock })
      const client = new RecordClient({ control: asker, clock: systemClock })
      const first = await client.list(peer, 'hello', { limit: 64 })
      expect(first.releases).toHaveLength(Math.floor(MAX_STATEMENTS_PER_ANSWER / MAX_ATTESTATIONS_READ))
      const rest = await client.list(peer, 'hello', { limit: 64, after: first.next! })
      expect(first.releases.length + rest.releases.length).toBe(12)
      const all = await client.get(
        peer,
        records.map(({ id }) => id)
      )
      expect(all.releases).toHaveLength(12)
      expect(all.statements).toHaveLength(12 * MAX_ATTESTATIONS_READ)
    })
  })

  it('come without what is said wrongly or of others, and that is reported', async () => {
    await withControls(async (asker, server, peer) => {
      const [record, other] = [recordOf('1.0.0'), recordOf('2.0.0')]
      const good = yankOf(record)
      const forged = Uint8Array.from(good.bytes)
      forged[20]! ^= 1
      const owner = keyOf('ada').publicKey
      const { name, version, content } = record.release
      const body = { name, version, owner, content, state: 'yanked' }
      const subject = releaseKey(record.release)
      const foreign = createRecord({ kind: 'status', sequence: 1, subject, body }, keyOf('eve'))
      const statements = [forged, foreign.bytes, yankOf(other).bytes, good.bytes]
      server.handle(listReleases, () => ({ records: [record.bytes], statements }))
      const violations: CatalogError[] = []
      const client = new RecordClient({
        control: asker,
        clock: systemClock,
        onViolation: (_, error) => violations.push(error)
      })
      const page = await client.list(peer, 'hello', { limit: 5 })
      expect(page.releases).toHaveLength(1)
      expect(page.statements.map(({ id }) => String(id))).toEqual([String(good.id)])
      expect(violations).toMatchObject([
        { message: expect.stringMatching(/3 of 5, the first SIGNATURE_INVALID/) }
      ])
    })
  })

  it('are asked for once more after a cut stream or a busy moment, and no more often', async () => {
    const [record] = RELEASES
    const answers = [
      new CatalogError('STREAM_TRUNCATED', 'cut'),
      { resumeAt: 0, records: [record!.bytes], statements: [] },
      new CatalogError('BUSY', 'full', { details: { retryAfterMs: 1 } }),
      new CatalogError('STREAM_TRUNCATED', 'cut'),
      new CatalogError('BUSY', 'full', { details: { retryAfterMs: 60_000 } }),
      new CatalogError('DIAL_FAILED', 'away')
    ]
    const request = async (): Promise<never> => {
      const answer = answers.shift()
      if (answer instanceof Error) throw answer
      return answer as never
    }
    const client = new RecordClient({ control: { request }, clock: systemClock })
    const peer = await newPeerId()
    const ask = () => client.get(peer, [record!.id])
    expect((await ask()).releases.map(({ id }) => String(id))).toEqual([String(record!.id)])
    for (const code of ['STREAM_TRUNCATED', 'BUSY', 'DIAL_FAILED'])
      await expect(ask()).rejects.toMatchObject({ code })
    expect(answers).toEqual([])
  })

  it('are refused to a peer that asks for no CID or too many', async () => {
    await withControls(async (asker, server, peer) => {
      serveRecords({ control: server, registry: await registryOf(RELEASES), clock: systemClock })
      const bad = asker.request(peer, getRecords, { ids: [new Uint8Array(36).fill(7)] })
      await expect(bad).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      const many = asker.request(peer, getRecords, { ids: new Array(65).fill(RELEASES[0]!.id.bytes) })
      await expect(many).rejects.toBeInstanceOf(CatalogError)
    })
  })
})
