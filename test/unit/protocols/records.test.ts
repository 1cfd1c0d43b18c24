import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import { createReleaseRecord, type Registry, type ReleaseRecord } from '../../../library/index.ts'
import {
  type Control,
  createControl,
  getRecords,
  listReleases,
  RecordClient,
  serveRecords
} from '../../../protocols/index.ts'
import { keyOf, small } from '../records/examples.ts'
import { introduce, withNodes } from './nodes.ts'

const recordOf = (version: string, description = 'short', name = 'hello'): ReleaseRecord =>
  createReleaseRecord(small({ name, version, description }), keyOf('ada'))

/** 70 releases, of which some are large enough that an answer fills before its count. */
const RELEASES = Array.from({ length: 70 }, (_, i) =>
  recordOf(`1.0.${i}`, i % 2 === 0 ? 'x'.repeat(4000) : 'short')
)

function registryOf(records: readonly ReleaseRecord[]): Pick<Registry, 'get' | 'versions'> {
  return {
    get: id => records.find(record => record.id.equals(id)),
    versions: async name => records.filter(({ release }) => release.name === name)
  }
}

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
      serveRecords({ control: server, registry: registryOf(RELEASES) })
      const unknown = recordOf('9.9.9').id
      const ids = [unknown, ...RELEASES.map(({ id }) => id)]
      const found = await new RecordClient({ control: asker }).get(peer, ids)
      expect(found.map(({ id }) => String(id))).toEqual(RELEASES.map(({ id }) => String(id)))
    })
  })

  it('come by name, page by page', async () => {
    await withControls(async (asker, server, peer) => {
      serveRecords({
        control: server,
        registry: registryOf([...RELEASES, recordOf('1.0.0', 'short', 'other')])
      })
      const client = new RecordClient({ control: asker })
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
      expect(seen).toEqual(RELEASES.map(({ id }) => String(id)))
      expect(pages).toBe(3)
      expect((await client.list(peer, 'nobody', { limit: 5 })).releases).toEqual([])
      const gone = client.list(peer, 'hello', { limit: 5, after: recordOf('7.7.7').id.bytes })
      await expect(gone).rejects.toMatchObject({ code: 'NOT_FOUND' })
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
      server.handle(listReleases, () => ({ records: [forged, other.bytes, good.bytes] }))
      const violations: CatalogError[] = []
      const client = new RecordClient({ control: asker, onViolation: (_, error) => violations.push(error) })
      expect((await client.get(peer, [good.id])).map(({ id }) => String(id))).toEqual([String(good.id)])
      // Forged, not asked for, no record, and the same one twice.
      expect(violations).toHaveLength(4)
      expect(violations.every(error => error.code === 'PROTOCOL_VIOLATION')).toBe(true)
      const page = await client.list(peer, 'hello', { limit: 5 })
      expect(page.releases.map(({ id }) => String(id))).toEqual([String(good.id)])
      expect(violations).toHaveLength(6)
    })
  })

  it('are refused to a peer that asks for no CID or too many', async () => {
    await withControls(async (asker, server, peer) => {
      serveRecords({ control: server, registry: registryOf(RELEASES) })
      const bad = asker.request(peer, getRecords, { ids: [new Uint8Array(36).fill(7)] })
      await expect(bad).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' })
      const many = asker.request(peer, getRecords, { ids: new Array(65).fill(RELEASES[0]!.id.bytes) })
      await expect(many).rejects.toBeInstanceOf(CatalogError)
    })
  })
})
