/** Wanted contents that no library here has are asked about, once there is somebody to ask. */
import type { CID } from 'multiformats/cid'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { WantedContents, type WantedContentsModules } from '../../../node/services/mirroring/wanted.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { ManualClock } from '../protocols/manual-clock.ts'
import { contentOf, keyOf } from '../records/examples.ts'

const HOUR = 3_600_000
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
