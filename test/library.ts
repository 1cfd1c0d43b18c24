import { existsSync } from 'node:fs'
import { join } from 'node:path'
import {
  type CompanionFactory,
  type Library,
  type LibraryModules,
  type LibraryOptions,
  openLibrary
} from '../library/index.ts'
import { openSyncCompanion } from '../sync/index.ts'
import { createNodeKey, SigningKey, sha256 } from '../trust/index.ts'
import { testWorkerUrl } from './worker-url.ts'

/** A library as a daemon opens it, with the product's own worker. A folder that is no home gets the key that its worker signs with. */
export async function openTestLibrary(
  modules: LibraryModules,
  options: Omit<LibraryOptions, 'workerUrl'>
): Promise<Library> {
  const key = join(options.home, 'node.key')
  if (existsSync(options.home) && !existsSync(key)) await createNodeKey(key)
  return await openLibrary(modules, { ...options, workerUrl: testWorkerUrl() })
}

/** The node that the worker's other half signs for where a test runs it in its own thread. */
export const testNodeKey = SigningKey.fromSeed(sha256(Buffer.from('a node of the tests')))

/** What the product's worker has beside the library. */
export const testCompanion: CompanionFactory = modules =>
  openSyncCompanion({ ...modules, signer: testNodeKey }, { place: Buffer.from('here') })
