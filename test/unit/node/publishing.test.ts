import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { createReleaseRecord } from '../../../library/index.ts'
import { EventHub } from '../../../node/events.ts'
import type { AnnounceOptions } from '../../../node/services/network.ts'
import { createPublishing } from '../../../node/services/publishing.ts'
import { SigningKey } from '../../../trust/index.ts'

const record = createReleaseRecord(
  {
    name: 'demo',
    version: '1.0.0',
    type: 'package',
    content: CID.parse('bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'),
    sizeBytes: 10,
    files: 1,
    publishedAt: 1_700_000_000_000,
    sequence: 1
  },
  SigningKey.generate()
)
const context = { signal: new AbortController().signal, progress: () => {} }

/** A node with so many peers, all of which take what is announced to them. */
function publishing(peers: number, defaultWait = 0) {
  const announced: AnnounceOptions[] = []
  const service = createPublishing(
    {
      content: { summary: () => ({ sizeBytes: 10, files: 1 }) } as never,
      registry: { publish: async () => ({ record, added: true }) } as never,
      network: {
        connected: () => Array.from({ length: peers }, (_, i) => `p${i}`),
        announce: async (_what: unknown, options: AnnounceOptions) => {
          announced.push(options)
          return peers
        }
      } as never,
      schedule: { announced: async () => {} } as never,
      events: new EventHub({ clock: systemClock })
    },
    { defaultWait }
  )
  return { service, announced }
}

describe('publishing', () => {
  it('waits for as many peers as the request says, else as the configuration says', async () => {
    const { service, announced } = publishing(5, 3)
    await service.publish({ recordBytes: record.bytes, timeoutMs: 1000 }, context)
    await service.publish({ recordBytes: record.bytes, wait: 1, timeoutMs: 1000 }, context)
    await service.publish({ recordBytes: record.bytes, wait: 0, timeoutMs: 1000 }, context)
    expect(announced.map(({ wait }) => wait)).toEqual([3, 1, 0])
  })

  it('says that the release is published when too few peers hold the announcement', async () => {
    const { service } = publishing(2)
    const request = { recordBytes: record.bytes, wait: 3, timeoutMs: 1000 }
    await expect(service.publish(request, context)).rejects.toMatchObject({
      code: 'TIMEOUT',
      message: expect.stringContaining('demo@1.0.0 is published, and 2 of 3 peers'),
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
})
