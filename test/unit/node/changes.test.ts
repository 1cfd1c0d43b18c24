import { describe, expect, it } from 'vitest'
import { CatalogError, silentLogger, systemClock } from '../../../base/index.ts'
import {
  createAttestationRecord,
  createRegistry,
  createReleaseRecord,
  createStatusRecord,
  type ReleaseRecord
} from '../../../library/index.ts'
import { EventHub } from '../../../node/events.ts'
import { createChanges } from '../../../node/services/changes.ts'
import type { Announced, Network } from '../../../node/services/network.ts'
import { SigningKey } from '../../../trust/index.ts'
import { openMemory, serialWriter } from '../registry/databases.ts'
import { demoRecord } from './demo-record.ts'

const KEY = SigningKey.generate()
const RECORD = demoRecord(KEY)
const { name, version, content } = RECORD.release
const { signal } = new AbortController()
const yank = createStatusRecord({ name, version, content, state: 'yanked', sequence: 2 }, KEY)

/** A node that holds demo@1.0.0; what was committed when something was announced. */
async function node(announce: Network['announce'] = async () => 1, isLeaving = false) {
  const database = await openMemory()
  const registry = createRegistry({ database, writer: serialWriter(database), clock: systemClock })
  await registry.publish(RECORD.bytes)
  const before = database.commits.length
  const announced: Array<Announced & { commits: number }> = []
  const changes = createChanges({
    registry,
    access: {
      of: async ({ id }) => {
        if (isLeaving) await registry.remove(id)
        return 'public'
      }
    },
    blocking: { isBlocked: () => false },
    content: { localState: () => 'complete', isPinned: () => false } as never,
    network: {
      connected: () => ['p1'],
      announce: async (...given: Parameters<Network['announce']>) => {
        announced.push({ ...given[0], commits: database.commits.length - before })
        return await announce(...given)
      }
    } as never,
    schedule: { announced: async () => {} } as never,
    events: new EventHub({ clock: systemClock }),
    logger: silentLogger
  })
  return { registry, changes, announced }
}

describe('a change of a release', () => {
  it('is stored before it is announced, and once', async () => {
    const { registry, changes, announced } = await node()
    expect(await changes.say(yank.bytes, signal)).toMatchObject({ name: 'demo', status: 'yanked' })
    expect(registry.status(RECORD.release)?.id).toEqual(yank.id)
    expect(announced).toMatchObject([{ names: ['demo'], ids: [RECORD.id], commits: 1 }])
    await changes.say(yank.bytes, signal)
    expect(announced).toHaveLength(1)
  })

  it('that cannot be announced now is one all the same', async () => {
    const { changes } = await node(async () => {
      throw new CatalogError('NO_PEERS', 'nobody')
    })
    expect(await changes.say(yank.bytes, signal)).toMatchObject({ status: 'yanked' })
  })

  it('of one that goes meanwhile is not announced: it may have left with a closed library', async () => {
    const { changes, announced } = await node(undefined, true)
    expect(await changes.say(yank.bytes, signal)).toMatchObject({ status: 'yanked' })
    expect(announced).toEqual([])
  })

  it('may be somebody’s word on it', async () => {
    const { registry, changes } = await node()
    const { owner } = RECORD.release
    const word = { name, version, owner, content, statement: 'tested', holds: true, sequence: 2 }
    const attestation = createAttestationRecord(word, SigningKey.generate())
    expect(await changes.say(attestation.bytes, signal)).toMatchObject({ status: 'published' })
    expect(await registry.statements(RECORD.release)).toEqual([attestation])
  })

  it('is one of a release that is here, with that content', async () => {
    const { changes } = await node()
    for (const over of [{ version: '2.0.0' }, { name: 'other' }]) {
      const foreign = createStatusRecord({ ...yank.status, ...over }, KEY)
      await expect(changes.say(foreign.bytes, signal)).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' })
    }
    const others = createStatusRecord(yank.status, SigningKey.generate())
    await expect(changes.say(others.bytes, signal)).rejects.toMatchObject({ code: 'RELEASE_NOT_FOUND' })
  })

  const revised = (over: object): ReleaseRecord =>
    createReleaseRecord({ ...RECORD.release, sequence: 2, ...over }, KEY)

  it('brings new words, and leaves what the content is', async () => {
    const { registry, changes, announced } = await node()
    const next = revised({ description: 'new words' })
    expect(await changes.revise(next.bytes, signal)).toMatchObject({ id: next.id.toString() })
    expect(await registry.versions('demo')).toEqual([next])
    expect(announced).toMatchObject([{ ids: [next.id], commits: 1 }])
    for (const over of [{ sizeBytes: 11 }, { files: 2 }, { type: 'vm' }])
      await expect(changes.revise(revised({ ...over, sequence: 3 }).bytes, signal)).rejects.toMatchObject({
        code: 'CONTENT_INVALID'
      })
  })
})
