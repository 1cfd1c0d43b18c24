import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import type { Registry } from '../../../library/index.ts'
import { EventHub } from '../../../node/events.ts'
import { OperationManager } from '../../../node/operations.ts'
import type { AnnounceOptions, Network } from '../../../node/services/network.ts'
import { createPublishing } from '../../../node/services/publishing.ts'
import type { Access } from '../../../sync/index.ts'
import { SigningKey } from '../../../trust/index.ts'
import { demoRecord } from './demo-record.ts'
import { nothingBlocked } from './nothing-blocked.ts'

const record = demoRecord()
const context = { signal: new AbortController().signal, progress: () => {}, commit: () => {} }

type Announce = Network['announce']

/** A node with so many peers, all of which take what is announced to them. */
function publishing(
  peers: number,
  defaultWait = 0,
  given: {
    publish?: Registry['publish']
    announce?: Announce
    pins?: Map<string, Uint8Array>
    access?: Access
    isEarlier?: boolean
  } = {}
) {
  const announced: AnnounceOptions[] = []
  const pins = given.pins ?? new Map<string, Uint8Array>()
  const service = createPublishing(
    {
      content: { hold: () => () => {}, summary: () => ({ sizeBytes: 10, files: 1 }) } as never,
      blocking: nothingBlocked,
      sets: {
        access: {
          isEarlier: async () => given.isEarlier ?? false,
          ownNamed: async (name: string) => ({
            name,
            libraryId: `here/${name}`,
            access: given.access ?? 'public'
          })
        }
      } as never,
      access: { of: async () => given.access ?? 'public' },
      registry: {
        entries: async function* () {},
        publish: given.publish ?? (async () => ({ record, added: true })),
        ownerPin: (name: string) => pins.get(name),
        pinOwner: async (name: string, owner: Uint8Array) => void pins.set(name, owner)
      } as never,
      network: {
        connected: () => Array.from({ length: peers }, (_, i) => `p${i}`),
        announce:
          given.announce ??
          (async (_what: unknown, options: AnnounceOptions) => {
            announced.push(options)
            return peers
          })
      } as never,
      schedule: { announced: async () => {} } as never,
      events: new EventHub({ clock: systemClock }),
      logger: silentLogger
    },
    { defaultWait }
  )
  return { service, announced }
}

describe('publishing', () => {
  it('pins the name to its owner here, unless it is pinned', async () => {
    const pins = new Map<string, Uint8Array>()
    const { service } = publishing(1, 0, { pins })
    const request = { recordBytes: record.bytes, timeoutMs: 1000 }
    await service.publish(request, context)
    expect(pins.get('demo')).toEqual(record.release.owner)
    const other = SigningKey.generate().publicKey
    pins.set('demo', other)
    await service.publish(request, context)
    expect(pins.get('demo')).toBe(other)
  })

  it('announces nothing of a library that is not for everybody', async () => {
    const into: Array<string | undefined> = []
    const publish: Registry['publish'] = async (_bytes, options) => {
      into.push(options?.libraryId)
      return { record, added: true }
    }
    const { service, announced } = publishing(5, 3, { publish, access: 'restricted' })
    const request = { recordBytes: record.bytes, library: 'team', timeoutMs: 1000 }
    expect(await service.publish(request, context)).toMatchObject({
      library: 'team',
      access: 'restricted',
      announcedTo: 0
    })
    await expect(service.publish({ ...request, wait: 1 }, context)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })
    expect([into, announced], 'and stores nothing that is refused').toEqual([['here/team'], []])
  })

  it('says what keeps others from getting it where the access list is from before a restore', async () => {
    const request = { recordBytes: record.bytes, library: 'team', timeoutMs: 1000 }
    const publish = async (isEarlier: boolean) =>
      await publishing(5, 0, { access: 'restricted', isEarlier }).service.publish(request, context)
    expect(await publish(true)).toMatchObject({
      warning: expect.stringContaining('no other node is shown team')
    })
    expect(await publish(false)).not.toHaveProperty('warning')
  })

  it('waits for as many peers as the request says, else as the configuration says', async () => {
    const { service, announced } = publishing(5, 3)
    await service.publish({ recordBytes: record.bytes, timeoutMs: 1000 }, context)
    await service.publish({ recordBytes: record.bytes, wait: 1, timeoutMs: 1000 }, context)
    await service.publish({ recordBytes: record.bytes, wait: 0, timeoutMs: 1000 }, context)
    expect(announced.map(({ wait }) => wait)).toEqual([3, 1, 0])
  })

  it('hopes shortly for one holder where nobody says how many, and does not fail without', async () => {
    const { service, announced } = publishing(2)
    const request = { recordBytes: record.bytes, timeoutMs: 10_000 }
    expect(await service.publish(request, context)).toMatchObject({ announcedTo: 2 })
    expect(announced).toEqual([{ wait: 1, timeoutMs: 2000 }])
    const nobody = publishing(2, 0, { announce: async () => 0 })
    expect(await nobody.service.publish(request, context)).toMatchObject({ announcedTo: 0 })
  })

  it('says that the release is published when too few peers hold the announcement', async () => {
    const { service } = publishing(2)
    const request = { recordBytes: record.bytes, wait: 3, timeoutMs: 1000 }
    await expect(service.publish(request, context)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining(
        'demo@1.0.0 is published, and its announcement is held by 2 of 3 peers'
      ),
      details: { published: true, announcedTo: 2, wait: 3, id: record.id.toString() }
    })
  })

  it('does not wait where there is nobody, and says so', async () => {
    const { service, announced } = publishing(0)
    const request = { recordBytes: record.bytes, wait: 3, timeoutMs: 1000 }
    await expect(service.publish(request, context)).rejects.toMatchObject({
      code: 'NO_PEERS',
      exitCode: 6,
      message: expect.stringContaining('demo@1.0.0 is published'),
      details: { published: true, announcedTo: 0 }
    })
    expect(announced).toEqual([{ wait: 0, timeoutMs: 1000 }])
  })
  describe('that is cancelled', () => {
    it('while the record is stored is published all the same', async () => {
      const stored = Promise.withResolvers<{ record: typeof record; added: boolean }>()
      const signals: unknown[] = []
      const isStoring = Promise.withResolvers<void>()
      const publish = async (_bytes: Uint8Array, { signal }: { signal?: AbortSignal } = {}) => {
        signals.push(signal)
        isStoring.resolve()
        return await stored.promise
      }
      const announce: Announce = async (_what, _options, signal) => {
        signal.throwIfAborted()
        return 1
      }
      const { service } = publishing(1, 0, { publish, announce })
      const operations = new OperationManager({ clock: systemClock }, { maxRunning: 1 })
      const request = { recordBytes: record.bytes, timeoutMs: 1000 }
      const { id } = operations.start('publish', 'r', at => service.publish(request, at))
      await isStoring.promise
      operations.cancel(id)
      stored.resolve({ record, added: true })
      expect(await operations.wait(id, 1000)).toMatchObject({
        state: 'done',
        result: { id: record.id.toString(), announcedTo: 0 }
      })
      expect(signals).toEqual([undefined])
    })

    it.each(['cancel', 'time limit'])(
      'by a %s while it waits for peers says that it is published',
      async how => {
        const announcing = Promise.withResolvers<void>()
        const announce: Announce = (_what, _options, signal) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason), { once: true })
            announcing.resolve()
          })
        const { service } = publishing(5, 0, { announce })
        const operations = new OperationManager({ clock: systemClock }, { maxRunning: 1 })
        const request = { recordBytes: record.bytes, wait: 3, timeoutMs: 1000 }
        const limit = how === 'cancel' ? 'unlimited' : 10
        const { id } = operations.start('publish', 'r', at => service.publish(request, at), limit)
        await announcing.promise
        if (how === 'cancel') operations.cancel(id)
        expect(await operations.wait(id, 1000)).toMatchObject({
          state: 'failed',
          error: { code: 'TIMEOUT', details: { published: true, announcedTo: 0, wait: 3 } }
        })
      }
    )

    it('before it is stored does nothing', async () => {
      const published: Uint8Array[] = []
      const publish = async (bytes: Uint8Array) => {
        published.push(bytes)
        return { record, added: true }
      }
      const { service } = publishing(1, 0, { publish })
      const abort = AbortSignal.abort(new CatalogError('ABORTED', 'cancelled'))
      const cancelled = { ...context, signal: abort, commit: () => abort.throwIfAborted() }
      const request = { recordBytes: record.bytes, timeoutMs: 1000 }
      await expect(service.publish(request, cancelled)).rejects.toMatchObject({ code: 'ABORTED' })
      expect(published).toEqual([])
    })
  })
})
