import { describe, expect, test } from 'vitest'
import { CatalogError, type Clock, silentLogger } from '../../../base/index.ts'
import { followedLibrary } from '../../../library/registry/library-names.ts'
import { EventHub } from '../../../node/events.ts'
import { Syncing, type SyncingModules } from '../../../node/services/syncing.ts'
import { newPeerId } from './following-world.ts'

const ROOT = new Uint8Array(32)
/** Waits for nothing. */
const hasty: Clock = { now: () => 0, monotonicMs: () => 0, wait: async () => undefined }
const HEAD = { epoch: 1, revision: 1, expires: 0 }

/** A node that compares a library with a peer; how the session goes, and what is here after it, is as told. */
async function nodeWith(session: {
  state?: string
  copy?: string
  fails?: boolean
  before?: string
  /** Sessions that are cut, one after the other. */
  cuts?: number
  isConnected?: boolean
}) {
  const [self, peer] = await Promise.all([newPeerId(), newPeerId()])
  let copy = session.before
  let told = 0
  let sessions = 0
  const { cuts = 0, isConnected = true } = session
  const syncing = new Syncing(
    {
      libp2p: {},
      peerId: () => self.toString(),
      network: { dial: async () => peer.toString(), connected: () => (isConnected ? [peer.toString()] : []) },
      events: new EventHub({ clock: hasty }),
      sets: {
        headOf: async () => undefined,
        copyOf: async () => copy,
        session: async () => {
          copy = session.copy ?? copy
          if (++sessions <= cuts) throw new CatalogError('STREAM_TRUNCATED', 'the stream was cut')
          if (session.fails === true) throw new Error('the answer was lost')
          const { state = 'equal' } = session
          return {
            outcome: { state, head: HEAD, root: ROOT, peerRoot: ROOT, received: 0, removed: 0, records: 0 }
          }
        }
      },
      clock: hasty,
      logger: silentLogger,
      onViolation: () => undefined,
      onAudienceChanged: async () => void told++
    } as unknown as SyncingModules,
    { networkId: 'test', maxRecords: 1, maxBytes: 1, classes: [] }
  )
  const compare = (dryRun = false) =>
    syncing.sync(
      { peer: peer.toString(), dryRun },
      { signal: new AbortController().signal, progress: () => undefined }
    )
  return { compare, told: () => told, sessions: () => sessions }
}

describe('who may know of a library is looked at anew', () => {
  test('with its first copy, though that is empty, and once', async () => {
    const node = await nodeWith({ copy: 'copy' })
    await node.compare()
    expect(node.told()).toBe(1)
    await node.compare()
    expect(node.told()).toBe(1)
  })

  test('with a first copy whose session was lost at the end', async () => {
    const node = await nodeWith({ copy: 'copy', fails: true })
    await expect(node.compare()).rejects.toThrow()
    expect(node.told()).toBe(1)
  })

  test('neither without a copy nor with another state of a public one', async () => {
    const without = await nodeWith({})
    await without.compare(true)
    expect(without.told()).toBe(0)
    const node = await nodeWith({ before: followedLibrary(new Uint8Array(32), 1, false), state: 'updated' })
    await node.compare()
    expect(node.told()).toBe(0)
  })

  test('with each other state of a closed one, unless that was only looked at', async () => {
    const before = followedLibrary(new Uint8Array(32), 1, true)
    const node = await nodeWith({ before, state: 'updated' })
    await node.compare(true)
    expect(node.told()).toBe(0)
    await node.compare()
    await node.compare()
    expect(node.told()).toBe(2)
    const same = await nodeWith({ before, state: 'equal' })
    await same.compare()
    expect(same.told()).toBe(0)
  })
})

describe('a session whose stream was cut', () => {
  test('goes on while the peer is connected, twice at most', async () => {
    const node = await nodeWith({ cuts: 2 })
    await node.compare()
    expect(node.sessions()).toBe(3)
    const worse = await nodeWith({ cuts: 3 })
    await expect(worse.compare()).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' })
    expect(worse.sessions()).toBe(3)
  })

  test('fails at once when the peer is gone, as another one may serve', async () => {
    const node = await nodeWith({ cuts: 1, isConnected: false })
    await expect(node.compare()).rejects.toMatchObject({ code: 'STREAM_TRUNCATED' })
    expect(node.sessions()).toBe(1)
  })
})
