import type { Libp2pInit } from 'libp2p'
import { expect, test } from 'vitest'
import { silentLogger } from '../../../base/index.ts'
import { PeerDatastore } from '../../../node/host/peer-datastore.ts'
import { cleanUpAfterEachTest, tempFolder } from './hosts.ts'

cleanUpAfterEachTest()

type Key = Parameters<NonNullable<Libp2pInit['datastore']>['put']>[0]
const key = (name: string): Key => ({ toString: () => `/peers/${name}` }) as unknown as Key
const value = Uint8Array.of(1, 2, 3)

test('what the disk refuses is kept in memory, and said once', async () => {
  const warnings: string[] = []
  const log = { ...silentLogger, warn: (_fields: object, message: string) => void warnings.push(message) }
  const store = new PeerDatastore({ log }, await tempFolder())
  await store.open()
  await store.put(key('met before'), value)
  // A closed database refuses every write, as a full disk does; reading, too, shows that nothing came from it.
  await store.close()
  await store.put(key('met now'), value)
  await store.put(key('and now'), value)
  expect(await store.get(key('met now'))).toEqual(value)
  expect(await store.has(key('and now'))).toBe(true)
  await store.delete(key('met now'))
  await expect(store.get(key('met now'))).rejects.toThrow()
  expect(warnings).toHaveLength(1)
})

test('goes on writing when the disk takes it again', async () => {
  const folder = await tempFolder()
  const store = new PeerDatastore({ log: silentLogger }, folder)
  await store.open()
  await store.close()
  await store.put(key('a'), value)
  await store.open()
  await store.put(key('a'), Uint8Array.of(9))
  await store.close()
  const again = new PeerDatastore({ log: silentLogger }, folder)
  await again.open()
  expect([...(await again.get(key('a')))]).toEqual([9])
  await again.close()
})
