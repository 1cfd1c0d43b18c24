/** Which library is meant where own ones and those of others may be named, and what is refused of one that is followed. */
import { expect, test } from 'vitest'
import { Bundling, type BundlingModules } from '../../../node/services/bundling.ts'
import { idOfAddress, parseAddress } from '../../../node/services/library-address.ts'
import { Syncing, type SyncingModules } from '../../../node/services/syncing.ts'
import { peerOf } from '../../../node/services/writer-key.ts'
import { libraryIdOf } from '../../../sync/index.ts'
import { keyOf } from '../records/examples.ts'

const self = keyOf('self').publicKey
const ADA = peerOf(keyOf('ada').publicKey)
const { signal } = new AbortController()

test('a bundle is made of a library of this node by its name, of home, or of another node’s', async () => {
  const shown: Uint8Array[] = []
  const sets = {
    idOf: (name: string) => libraryIdOf(self, name),
    show: async (library: Uint8Array) => {
      shown.push(library)
      throw new Error('seen')
    }
  }
  const bundling = new Bundling({ sets } as unknown as BundlingModules, {
    own: self,
    maxRecords: 1,
    maxBytes: 1
  })
  for (const library of ['pub', undefined, `${ADA}/tools`]) {
    const request = { specs: [], ...(library === undefined ? {} : { library }) }
    await expect(bundling.create(request, signal).next()).rejects.toThrow('seen')
  }
  expect(shown).toEqual([
    libraryIdOf(self, 'pub'),
    libraryIdOf(self, 'home'),
    idOfAddress(parseAddress(`${ADA}/tools`))
  ])
})

test('of a library that is followed by itself the copy stays: it would only come again', async () => {
  let follows = [{ address: `${ADA}/tools` }]
  const forgotten: Uint8Array[] = []
  const modules = {
    follows: () => follows,
    sets: {
      forget: async (library: Uint8Array) => {
        forgotten.push(library)
        return true
      }
    },
    onAudienceChanged: async () => undefined
  }
  const syncing = new Syncing(modules as unknown as SyncingModules, {
    networkId: 'test',
    maxRecords: 1,
    maxBytes: 1,
    classes: []
  })
  await expect(syncing.forget(`${ADA}/tools`, signal)).rejects.toMatchObject({
    code: 'ALREADY_FOLLOWED',
    hint: expect.stringContaining(`catalog library unfollow ${ADA}/tools`)
  })
  expect(forgotten).toEqual([])
  await syncing.forget(ADA, signal)
  follows = []
  await syncing.forget(`${ADA}/tools`, signal)
  expect(forgotten).toHaveLength(2)
})
