import { CID } from 'multiformats/cid'
import { create as createDigest } from 'multiformats/hashes/digest'
import type { NewRelease } from '../../../library/records/index.ts'
import { SigningKey, sha256 } from '../../../trust/index.ts'

export const keyOf = (text: string): SigningKey => SigningKey.fromSeed(sha256(Buffer.from(`seed of ${text}`)))

export const contentOf = (text: string): CID =>
  CID.createV1(0x55, createDigest(0x12, sha256(Buffer.from(text))))

/** 2026-01-01. */
export const NOW_MS = 1_767_225_600_000

export const small = (over: Partial<NewRelease> = {}): NewRelease => ({
  name: 'hello',
  version: '1.0.0',
  type: 'package',
  content: contentOf('hello'),
  sizeBytes: 12,
  files: 1,
  publishedAt: NOW_MS,
  sequence: NOW_MS,
  ...over
})

/** Every field in use. */
export const full = (over: Partial<NewRelease> = {}): NewRelease => ({
  ...small(),
  name: '@acme/hello-world',
  version: '2.0.0-rc.1',
  type: 'library',
  description: 'Grüße an die Welt 🌍\nin two lines',
  keywords: ['hello', 'world'],
  categories: ['examples'],
  licence: 'Apache-2.0 OR MIT',
  authors: ['Ada Lovelace <ada@example.org>'],
  links: { homepage: 'https://example.org/hello?a=1#b', repository: 'git+https://example.org/hello.git' },
  entryPoint: 'src/index.js',
  dependencies: [
    { name: 'left-pad', range: '^1.2.0', kind: 'required' },
    { name: '@acme/fast', range: '>=1 <3', kind: 'optional', platform: 'linux-x64', features: ['simd'] }
  ],
  features: { default: ['colour'], colour: [] },
  requirements: { node: '>=20' },
  hooks: { postinstall: 'node setup.js' },
  migrations: { '1.0.0->2.0.0': 'node migrate.js' },
  provenance: { commit: 'a'.repeat(40) },
  workStamp: Uint8Array.of(1, 2, 3),
  extensions: { 'org.example': { deep: [1, -2, null, true, { cid: contentOf('x') }] } },
  ...over
})

/** The code of the error that `call` throws; anything but a CatalogError is thrown on. */
export function codeOf(call: () => unknown): string {
  try {
    call()
    return 'OK'
  } catch (error) {
    if ((error as Error).name === 'CatalogError') return (error as { code: string }).code
    throw error
  }
}
