import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { afterEach } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { createHost, type Host, type HostModules, type HostOptions } from '../../../node/host/index.ts'
import { LOOPBACK_OPTIONS } from './options.ts'

const cleanups: (() => Promise<unknown>)[] = []

/** To be called once by each file: a module that many import is run for the first of them only. */
export function cleanUpAfterEachTest(): void {
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  })
}

export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'catalog-host-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A host on loopback without DHT that the test's end stops. */
export async function startHost(
  options: Partial<HostOptions> = {},
  modules: Partial<HostModules> = {}
): Promise<Host> {
  const host = await createHost(
    {
      privateKey: modules.privateKey ?? (await generateKeyPair('Ed25519')),
      peersFolder: modules.peersFolder ?? (await tempFolder()),
      log: silentLogger,
      clock: systemClock,
      ...modules
    },
    { ...LOOPBACK_OPTIONS, dht: false, ...options }
  )
  cleanups.push(() => host.stop())
  return host
}

export async function newKey(): Promise<{ privateKey: PrivateKey; peerId: string }> {
  const privateKey = await generateKeyPair('Ed25519')
  return { privateKey, peerId: peerIdFromPrivateKey(privateKey).toString() }
}

/** The host's first own address. */
export const addressOf = (host: Host): string => host.addresses()[0]!
