/** Wanted contents that no library here has are asked about, once there is somebody to ask; and what of the answers is kept. */
import type { PeerId } from '@libp2p/interface'
import type { CID } from 'multiformats/cid'
import { beforeEach, describe, expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { createReleaseRecord, decodeRelease, type ReleaseRecord } from '../../../library/index.ts'
import { WantedContents, type WantedContentsModules } from '../../../node/services/mirroring/wanted.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf, small } from '../records/examples.ts'

const HOUR = 3_600_000
const MINUTE = 60_000
const { signal } = new AbortController()
const ada = peerOf(keyOf('ada').publicKey)

test('contents are asked about as soon as a member is there, and then once an hour', async () => {
  const clock = new ManualClock()
  const asked: number[] = []
  let connected: string[] = []
  const modules = {
    demand: { wanted: () => [contentOf('one').toString()], demandOf: () => ({ count: 5, askers: 2 }) },
    releases: { of: () => undefined },
    members: { members: () => [{ peer: ada }] },
    network: { connected: () => connected },
    wanted: {
      recordsOf: async (_: unknown, contents: readonly CID[]) => {
        asked.push(contents.length)
        return []
      }
    },
    ...{ clock, logger: silentLogger }
  }
  const wanted = new WantedContents(modules as unknown as WantedContentsModules)
  await wanted.learn(signal)
  connected = [ada]
  await wanted.learn(signal)
  await wanted.learn(signal)
  expect(asked).toEqual([1])
  await clock.advance(HOUR, HOUR)
  await wanted.learn(signal)
  expect(asked).toEqual([1, 1])
})

describe('what a peer brings', () => {
  let clock: ManualClock
  let kept: string[]
  let looks: number
  /** Contents that are known here. */
  let named: Set<string>
  let hasPlace: boolean
  let askers: number
  let contents: string[]
  /** What is answered to a question. */
  let answer: (contents: readonly CID[], peer: string) => ReleaseRecord[]
  let members: string[]
  const record = (name: string, content: CID): ReleaseRecord =>
    createReleaseRecord(small({ name, content }), keyOf('ada'))

  function wantedContents(): WantedContents {
    const modules = {
      demand: {
        wanted: () => {
          looks++
          return contents
        },
        demandOf: () => ({ count: 5, askers: 2 })
      },
      releases: {
        of: (content: string) => (named.has(content) ? {} : undefined),
        isNamed: (content: string) => named.has(content),
        judge: async () => (hasPlace ? { isReader: true, demand: { askers } } : undefined),
        learn: async ({ release }: ReleaseRecord) => named.add(release.content.toString())
      },
      members: { members: () => members.map(peer => ({ peer })) },
      network: { connected: () => members },
      wanted: {
        recordsOf: async (peer: PeerId, asked: readonly CID[]) => answer(asked, peer.toString())
      },
      registry: {
        add: async (bytes: Uint8Array) => {
          const added = decodeRelease(bytes)
          kept.push(added.release.name)
          return { record: added }
        }
      },
      ...{ clock, logger: silentLogger, changed: () => undefined }
    }
    return new WantedContents(modules as unknown as WantedContentsModules)
  }

  beforeEach(() => {
    clock = new ManualClock()
    kept = []
    looks = 0
    named = new Set()
    hasPlace = true
    askers = 2
    contents = [contentOf('one').toString()]
    members = [ada]
    answer = ([content]) => [record('first', content!), record('second', content!)]
  })

  test('is kept under one name, where there is a place for it and it may be held', async () => {
    await wantedContents().learn(signal)
    expect(kept).toEqual(['first'])
    named.clear()
    hasPlace = false
    await wantedContents().learn(signal)
    hasPlace = true
    askers = 1
    await wantedContents().learn(signal)
    expect(kept).toEqual(['first'])
  })

  test('comes from who knows it, however many members say nothing', async () => {
    contents = Array.from({ length: 100 }, (_, at) => contentOf(`content ${at}`).toString())
    members = ['ada', 'ben', 'cai', 'dan'].map(name => peerOf(keyOf(name).publicKey))
    const last = members.at(-1)
    answer = (some, peer) => (peer === last ? some.map((content, at) => record(`name-${at}`, content)) : [])
    const wanted = wantedContents()
    for (let at = 0; at < MINUTE; at += 1000) {
      await wanted.learn(signal)
      await clock.advance(1000, 1000)
    }
    expect(kept.length).toBeGreaterThan(60)
  })

  test('is asked for no faster than a member answers, and looked for once a minute', async () => {
    contents = Array.from({ length: 100 }, (_, at) => contentOf(`content ${at}`).toString())
    const asked: number[] = []
    answer = some => {
      asked.push(some.length)
      return []
    }
    const wanted = wantedContents()
    for (let at = 0; at < MINUTE; at += 1000) {
      const restMs = await wanted.learn(signal)
      expect(restMs).toBeGreaterThan(0)
      await clock.advance(1000, 1000)
    }
    expect([asked, looks]).toEqual([[32, 32, 32, 4], 1])
    await wanted.learn(signal)
    expect(looks).toBe(2)
  })
})
