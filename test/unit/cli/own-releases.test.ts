/** yank, unyank, deprecate, archive, describe and trust attest: what they sign and send. */
import { CID } from 'multiformats/cid'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import {
  createReleaseRecord,
  decodeRelease,
  decodeStatement,
  type NewRelease,
  type ReleaseRecord
} from '../../../library/index.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { release as answer } from './support/answers.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeHome } from './support/fake-daemon.ts'

const CONTENT = 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'
/** Later than the clock of any machine that runs this: the next sequence is one more. */
const LAST = Date.UTC(9999, 0, 1)
const RELEASE: NewRelease = {
  name: 'tool',
  version: '1.0.0',
  type: 'package',
  content: CID.parse(CONTENT),
  sizeBytes: 5,
  files: 2,
  publishedAt: 1_700_000_000_000,
  sequence: LAST,
  keywords: ['old'],
  licence: 'MIT',
  links: { home: 'https://example.org' },
  unknown: { mood: 'good' }
}

let folder: ReturnType<typeof temporaryFolder>
let home: string
let daemon: FakeDaemon
let key: SigningKey
let publisher: string
let record: ReleaseRecord

beforeEach(async () => {
  folder = temporaryFolder()
  daemon = await startFakeHome(folder.folder)
  home = daemon.home
  await cli(['key', 'create', 'default', '--no-passphrase'], { home })
  const exported = await cli(['key', 'export', '--private', '--json'], { home })
  key = SigningKey.fromPem(String(exported.json().pem))
  publisher = formatPublicKey(key.publicKey)
  record = createReleaseRecord(RELEASE, key)
  const info = {
    ...answer,
    name: 'tool',
    version: '1.0.0',
    publisher,
    id: record.id.toString(),
    content: CONTENT
  }
  daemon.routes.set('GET /v1/releases', () => ({ json: info }))
  daemon.routes.set('POST /v1/statements', () => ({ json: { ...info, status: 'yanked', reason: 'leaks' } }))
  daemon.routes.set('PUT /v1/packages', () => ({ json: info }))
  daemon.routes.set('GET /v1/records/*', () => ({
    json: { id: info.id, record: Buffer.from(record.bytes).toString('base64') }
  }))
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

const sent = (): Uint8Array =>
  new Uint8Array(Buffer.from(JSON.parse(daemon.seen.at(-1)!.body.toString()).record, 'base64'))
const withInfo = (over: object): void => {
  const before = daemon.routes.get('GET /v1/releases')!
  daemon.routes.set('GET /v1/releases', async request => {
    const { json } = (await before(request)) as { json: object }
    return { json: { ...json, ...over } }
  })
}

describe('a status', () => {
  it.each([
    ['yank', 'yanked'],
    ['unyank', 'active'],
    ['deprecate', 'deprecated'],
    ['archive', 'archived']
  ])('of %s is signed by the owner and newer than the last', async (command, state) => {
    withInfo({ statusSequence: LAST })
    const words = ['--reason', 'leaks', '--replacement', 'tool@^1.1']
    const result = await cli([command, 'tool@1.0.0', ...words, '--json'], { home })
    expect(result.json()).toMatchObject({ name: 'tool', status: 'yanked' })
    expect(decodeStatement(sent())).toMatchObject({
      kind: 'status',
      signer: key.publicKey,
      status: {
        name: 'tool',
        version: '1.0.0',
        owner: key.publicKey,
        state,
        reason: 'leaks',
        replacement: 'tool@^1.1',
        sequence: LAST + 1
      }
    })
    const asked = daemon.seen.find(({ url }) => url.pathname === '/v1/releases')!
    expect(Object.fromEntries(asked.url.searchParams)).toEqual({
      spec: 'tool@1.0.0',
      publisher,
      network: 'false'
    })
    const text = await cli([command, 'tool@1.0.0'], { home })
    expect(text.stdout).toBe('tool@1.0.0 is yanked: leaks\n')
  })

  it('is of one version, and of one’s own', async () => {
    for (const spec of ['tool', 'tool@^1.0.0']) {
      const { status, stderr } = await cli(['yank', spec], { home })
      expect([status, daemon.seen]).toEqual([2, []])
      expect(stderr).toContain('does not say which version')
    }
    withInfo({ publisher: 'z6MkOther' })
    const foreign = await cli(['yank', record.id.toString(), '--json'], { home })
    expect([foreign.status, foreign.json().error]).toMatchObject([4, { code: 'NOT_OWNER' }])
    expect(daemon.seen.map(({ method }) => method)).toEqual(['GET'])
  })

  it('names a replacement that can be read', async () => {
    const result = await cli(['yank', 'tool@1.0.0', '--replacement', 'tool@nonsense !', '--json'], { home })
    expect(result.json().error).toMatchObject({ code: 'SPEC_INVALID' })
  })
})

describe('describe', () => {
  it('signs newer words for the same content, and leaves what was not given', async () => {
    const words = [
      '--description',
      'New',
      '--tag',
      'a',
      '--tag',
      'b',
      '--licence',
      '',
      '--link',
      'docs=https://x.org'
    ]
    const result = await cli(['describe', 'tool@1.0.0', ...words, '--json'], { home })
    expect(result.status).toBe(0)
    const { release } = decodeRelease(sent())
    const { licence: _, ...kept } = RELEASE
    expect(release).toMatchObject({
      ...kept,
      content: record.release.content,
      owner: key.publicKey,
      description: 'New',
      keywords: ['a', 'b'],
      links: { docs: 'https://x.org' },
      sequence: LAST + 1
    })
    expect(release.licence).toBeUndefined()
  })

  it('refuses words that a record cannot hold, and none at all', async () => {
    const bad = await cli(['describe', 'tool@1.0.0', '--licence', 'my own', '--json'], { home })
    expect(bad.json().error).toMatchObject({ code: 'INVALID_ARGUMENT', details: { field: 'licence' } })
    const none = await cli(['describe', 'tool@1.0.0'], { home })
    expect([none.status, none.stderr]).toEqual([2, expect.stringContaining('something to say')])
  })
})

describe('trust attest', () => {
  it('says something of anybody’s release, and takes it back with a newer word', async () => {
    const owner = SigningKey.generate().publicKey
    withInfo({ publisher: formatPublicKey(owner) })
    await cli(['trust', 'attest', 'tool@1.0.0'], { home })
    expect(decodeStatement(sent())).toMatchObject({
      signer: key.publicKey,
      attestation: { owner, statement: 'approved', holds: true }
    })
    withInfo({ attestations: [{ signer: publisher, statement: 'tested', holds: true, sequence: LAST }] })
    const taken = await cli(
      ['trust', 'attest', 'tool@1.0.0', '--statement', 'tested', '--withdraw', '--json'],
      {
        home
      }
    )
    expect(taken.json()).toMatchObject({ statement: 'tested', holds: false, signer: publisher })
    expect(decodeStatement(sent())).toMatchObject({ attestation: { holds: false, sequence: LAST + 1 } })
  })
})
