/** Hostile clients of the admin socket: records, tar streams and connections that no command of ours would send. */
import { once } from 'node:events'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { pack } from 'tar-stream'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ERROR_CODES, type ErrorCode, MIB } from '../../base/index.ts'
import { createReleaseRecord, type ReleaseRecord } from '../../library/index.ts'
import { SigningKey } from '../../trust/index.ts'
import { type Answer, eventually, type TestDaemon, TestNet, tarOf } from './support.ts'

let net: TestNet
let daemon: TestDaemon
beforeAll(async () => {
  net = await TestNet.create()
  daemon = await net.start('one')
  await daemon.publish({ name: 'kept', version: '1.0.0', files: { 'a.txt': 'a' } })
})
afterAll(() => net.destroy())

/** What others see of this node. */
async function visible(): Promise<unknown> {
  const { packages } = await daemon.ok('GET', '/v1/packages')
  return packages.map((one: { name: string; version: string; content: string }) => one)
}

/** An answer that refuses so: status and fields of its code, and a request id. */
function expectRefused(answer: Answer, code: ErrorCode, ...names: Array<string | RegExp>): void {
  expect(answer.json.error).toMatchObject({ code, hint: expect.stringMatching(/./) })
  expect(answer.status).toBe(ERROR_CODES[code].http)
  expect(answer.json.error.requestId).toBe(answer.headers['x-request-id'])
  for (const name of names) expect(answer.json.error.message).toMatch(name)
}

/** Refused with nothing changed: not the list, not a byte of what is stored. */
async function expectNothingDone(work: () => Promise<void>): Promise<void> {
  const before = await visible()
  await work()
  expect(await visible()).toEqual(before)
}

const JSON_HEAD =
  'POST /v1/packages HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\n'

/** Sends bytes as they are; what came back until the daemon closed. */
async function raw(text: string): Promise<string> {
  const socket = connect(daemon.home.socket)
  const parts: Buffer[] = []
  socket.on('data', part => parts.push(part)).on('error', () => undefined)
  socket.end(text)
  await new Promise(resolve => socket.once('close', resolve))
  return Buffer.concat(parts).toString()
}

describe('a record', () => {
  const publish = async (bytes: Uint8Array): Promise<{ code?: string; message?: string } | undefined> => {
    const body = { record: Buffer.from(bytes).toString('base64') }
    return (await daemon.operation('/v1/packages', body)).error
  }

  async function stored(name: string): Promise<ReleaseRecord> {
    const ingested = await daemon.ok('POST', '/v1/ingests', await tarOf({ [name]: name }))
    return await daemon.sign({ name, version: '1.0.0' }, ingested)
  }

  it('with a forged signature, another body or more bytes is refused', async () => {
    const { bytes, release } = await stored('forged')
    await expectNothingDone(async () => {
      const signature = Uint8Array.from(bytes)
      // Canonical CBOR sorts "sig" before longer keys: its 64 bytes stand behind its name.
      const at = Buffer.from(bytes).indexOf(Buffer.from('63736967', 'hex')) + 6
      signature[at]! ^= 1
      expect(await publish(signature)).toMatchObject({ code: 'SIGNATURE_INVALID' })
      const body = Uint8Array.from(bytes)
      body[Buffer.from(bytes).indexOf('forged')]! ^= 1
      expect(await publish(body)).toMatchObject({ code: 'SIGNATURE_INVALID' })
      expect(await publish(Buffer.concat([bytes, Buffer.of(0)]))).toMatchObject({ code: 'RECORD_INVALID' })
      expect(await publish(bytes.subarray(0, -1))).toMatchObject({ code: 'RECORD_INVALID' })
      expect(await publish(Buffer.from('hello'))).toMatchObject({ code: 'RECORD_INVALID' })
    })
    expect(release.name).toBe('forged')
  })

  it('of more than 32 KiB, of 1 MiB, and as no base64', async () => {
    const send = (record: unknown): Promise<Answer> => daemon.api('POST', '/v1/packages', { record })
    await expectNothingDone(async () => {
      expect(await publish(new Uint8Array(32_769))).toMatchObject({
        code: 'RECORD_TOO_LARGE',
        message: expect.stringContaining('32768')
      })
      expectRefused(await send('A'.repeat(50_000)), 'INVALID_ARGUMENT', /record/, /43692/)
      // Only the head, as the daemon answers and closes before the rest could be sent.
      const answer = await raw(`${JSON_HEAD}content-length: ${MIB}\r\n\r\n{"record":"AAAA`)
      expect(answer).toMatch(/^HTTP\/1.1 413/)
      expect(answer).toMatch(/"code":"LIMIT_EXCEEDED","message":"[^"]*65536 bytes/)
      for (const text of ['', '!!!!', 'AAA', 'AA=A', 'QUJD\n', undefined, 7])
        expectRefused(await send(text), 'INVALID_ARGUMENT', /record/)
    })
  })

  it('in the name of another owner, or of a content that is not here or not what it says', async () => {
    await expectNothingDone(async () => {
      const { release } = await stored('borrowed')
      const mallory = SigningKey.generate()
      const { owner: _, ...fields } = release
      const now = Date.now()
      const signedBy = (changes: object): ReleaseRecord =>
        createReleaseRecord({ ...fields, publishedAt: now, sequence: now, ...changes } as never, mallory)
      // The owner's bytes in a record that mallory signs.
      const own = signedBy({})
      const stolen = Buffer.from(own.bytes)
      let at = stolen.indexOf(Buffer.from(mallory.publicKey))
      expect(at).toBeGreaterThan(0)
      stolen.set(release.owner, at)
      expect(await publish(stolen)).toMatchObject({
        code: expect.stringMatching(/RECORD_INVALID|SIGNATURE_INVALID/)
      })
      at = stolen.indexOf(Buffer.from(mallory.publicKey), at)
      stolen.set(release.owner, at)
      expect(await publish(stolen)).toMatchObject({ code: 'SIGNATURE_INVALID' })
      expect(await publish(signedBy({ sizeBytes: release.sizeBytes + 1 }).bytes)).toMatchObject({
        code: 'CONTENT_INVALID',
        message: expect.stringContaining('borrowed@1.0.0')
      })
      const { content } = await daemon.ok('POST', '/v1/ingests', await tarOf({}))
      const missing = content.slice(0, -2) + (content.endsWith('aa') ? 'bb' : 'aa')
      const { CID } = await import('multiformats/cid')
      const absent = signedBy({ content: CID.parse(missing), sizeBytes: 0, files: 0 })
      expect(await publish(absent.bytes)).toMatchObject({
        code: 'CONTENT_MISSING',
        message: expect.stringContaining(missing)
      })
    })
  })

  it('of a version that this owner published with other content', async () => {
    const ingested = await daemon.ok('POST', '/v1/ingests', await tarOf({ 'a.txt': 'other' }))
    const again = await daemon.sign({ name: 'kept', version: '1.0.0' }, ingested)
    await expectNothingDone(async () => {
      expect(await publish(again.bytes)).toMatchObject({
        code: 'RELEASE_EXISTS',
        message: expect.stringContaining('kept')
      })
    })
  })
})

type Entry = {
  name: string
  type?: 'file' | 'symlink' | 'directory' | 'link'
  linkname?: string
  body?: string
  size?: number
}

/** A tar exactly as told, in the order given. */
async function tarAsTold(entries: Entry[], finalize = true): Promise<Buffer> {
  const packer = pack()
  for (const { body = '', ...header } of entries) packer.entry({ mode: 0o644, ...header }, body)
  if (finalize) packer.finalize()
  else packer.destroy()
  const chunks: Buffer[] = []
  for await (const chunk of packer) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

describe('a tar stream', () => {
  const deep = Array.from({ length: 2000 }, () => 'd').join('/')
  it.each<[string, Entry[], ErrorCode, RegExp]>([
    [
      'that writes through a link out of its folder',
      [
        { name: 'a', type: 'symlink', linkname: '/etc' },
        { name: 'a/x', body: 'x' }
      ],
      'PATH_REFUSED',
      /a\/x/
    ],
    ['that climbs', [{ name: '../x', body: 'x' }], 'PATH_REFUSED', /\.\.\/x/],
    ['that climbs in the middle', [{ name: 'a/../../x', body: 'x' }], 'PATH_REFUSED', /\.\./],
    ['with an absolute path', [{ name: '/etc/passwd', body: 'x' }], 'PATH_REFUSED', /absolute/],
    ['with an empty segment', [{ name: 'a//b', body: 'x' }], 'PATH_REFUSED', /empty/],
    [
      'with a path twice',
      [
        { name: 'a', body: '1' },
        { name: 'a', body: '2' }
      ],
      'PATH_REFUSED',
      /twice/
    ],
    [
      'without order',
      [
        { name: 'b', body: '1' },
        { name: 'a', body: '2' }
      ],
      'PATH_REFUSED',
      /order/
    ],
    ['with a path of NUL', [{ name: 'a', type: 'symlink', linkname: '' }], 'PATH_REFUSED', /target/],
    ['with a path too long', [{ name: `${deep}/x`, body: '1' }], 'PATH_REFUSED', /longer/],
    ['with a hard link', [{ name: 'a', type: 'link', linkname: '/etc/passwd' }], 'ENTRY_REFUSED', /link/]
  ])('%s is refused', async (_, entries, code, named) => {
    await expectNothingDone(async () => {
      expectRefused(await daemon.api('POST', '/v1/ingests', await tarAsTold(entries)), code, named)
    })
  })

  it('that is cut off, is no tar, or promises a gigabyte and brings bytes', async () => {
    const whole = await tarAsTold([
      { name: 'a', body: 'x'.repeat(5000) },
      { name: 'b', body: 'y' }
    ])
    const promising = Buffer.from(await tarAsTold([{ name: 'a', body: 'x' }]))
    promising.write('10000000000\0', 124, 'latin1') // 2^30 in octal
    let sum = 8 * 32
    for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += promising[i]!
    promising.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1')
    const broken = Buffer.from(whole)
    broken[0]! ^= 1
    const ingest = (bytes: Buffer): Promise<Answer> => daemon.api('POST', '/v1/ingests', bytes)
    await expectNothingDone(async () => {
      expectRefused(await ingest(whole.subarray(0, 3000)), 'STREAM_TRUNCATED')
      expectRefused(await ingest(whole.subarray(0, -512)), 'STREAM_TRUNCATED')
      expectRefused(await ingest(Buffer.alloc(0)), 'STREAM_TRUNCATED')
      expectRefused(await ingest(promising), 'STREAM_TRUNCATED')
      expectRefused(await ingest(broken), 'INVALID_ARGUMENT')
      expectRefused(await ingest(Buffer.alloc(100_000, 'A')), 'INVALID_ARGUMENT')
    })
    expect((await daemon.operation('/v1/verifications', {})).result).toMatchObject({ ok: true, bad: [] })
  })

  it('as JSON, and JSON as a tar stream', async () => {
    const asJson = await daemon.api('POST', '/v1/ingests', { not: 'a tar' })
    expectRefused(asJson, 'INVALID_ARGUMENT', 'application/x-tar')
    const asTar = await daemon.api('POST', '/v1/packages', Buffer.from('{}'))
    expectRefused(asTar, 'INVALID_ARGUMENT', 'application/json')
  })
})

describe('a request', () => {
  it.each<[string, string, string, unknown, ErrorCode, RegExp]>([
    ['of no route', 'GET', '/v1/nothing', undefined, 'NOT_FOUND', /\/v1\/nothing/],
    ['with a path that cannot be decoded', 'GET', '/v1/packages/%ff', undefined, 'INVALID_ARGUMENT', /%ff/],
    ['for a content of no CID', 'GET', '/v1/contents/nope/tar', undefined, 'INVALID_ARGUMENT', /nope/],
    ['for an operation that is none', 'GET', '/v1/operations/nope', undefined, 'OPERATION_NOT_FOUND', /nope/],
    ['to cancel one that is none', 'DELETE', '/v1/operations/nope', undefined, 'OPERATION_NOT_FOUND', /nope/],
    ['with a number that is none', 'GET', '/v1/packages?limit=many', undefined, 'INVALID_ARGUMENT', /limit/],
    [
      'with a field of the wrong type',
      'POST',
      '/v1/fetches',
      { spec: 'x', from: 7 },
      'INVALID_ARGUMENT',
      /from/
    ],
    ['with a list as its body', 'POST', '/v1/fetches', [], 'INVALID_ARGUMENT', /body/]
  ])('%s', async (_, method, path, body, code, named) => {
    expectRefused(await daemon.api(method, path, body), code, named)
  })

  it('with JSON that is none, or much too long a head', async () => {
    expect(await raw(`${JSON_HEAD}content-length: 5\r\n\r\n{"a":`)).toContain('"code":"INVALID_ARGUMENT"')
    // The answer may be lost with the connection, which is closed while the rest still comes.
    expect(await raw(`${JSON_HEAD}x-long: ${'x'.repeat(100_000)}\r\n\r\n`)).toMatch(/^(HTTP\/1.1 431|$)/)
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1.1 400/)
    expect(await daemon.ok('GET', '/v1/status')).toMatchObject({ state: 'running' })
  })
})

describe('a client', () => {
  it('that goes away in the middle of an upload leaves nothing, and takes nothing with it', async () => {
    await expectNothingDone(async () => {
      // More often than folders can be taken in at once: each must have given its place back.
      for (let round = 0; round < 20; round++) {
        const request = http.request({
          socketPath: daemon.home.socket,
          method: 'POST',
          path: '/v1/ingests',
          headers: { 'content-type': 'application/x-tar' }
        })
        request.on('error', () => undefined)
        const tar = await tarOf({ 'a.bin': Buffer.alloc(3 * MIB, round) })
        await new Promise(resolve => request.write(tar.subarray(0, 2 * MIB), resolve))
        const closed = new Promise(resolve => request.once('close', resolve))
        request.destroy()
        await closed
      }
    })
    const { record } = await daemon.publish({ name: 'after', version: '1.0.0', files: { 'a.txt': 'after' } })
    expect((await daemon.operation('/v1/verifications', {})).result).toMatchObject({ ok: true, bad: [] })
    expect(record.release.files).toBe(1)
  })

  it('that sends slowly or never reads keeps nobody else waiting', async () => {
    const sockets: Socket[] = []
    const open = async (text: string): Promise<void> => {
      const socket = connect(daemon.home.socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      socket.pause()
      socket.write(text)
      sockets.push(socket)
    }
    const big = Buffer.alloc(24 * MIB, 'never read ')
    const { record } = await daemon.publish({ name: 'big', version: '1.0.0', files: { 'big.bin': big } })
    for (let i = 0; i < 100; i++) await open('POST /v1/fetches HTTP/1.1\r\nhost: x\r\ncontent-le')
    for (let i = 0; i < 100; i++)
      await open(
        'POST /v1/fetches HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 60000\r\n\r\n{'
      )
    for (let i = 0; i < 20; i++)
      await open(`GET /v1/contents/${record.release.content}/tar HTTP/1.1\r\nhost: x\r\n\r\n`)
    for (let i = 0; i < 20; i++) await open('GET /v1/events HTTP/1.1\r\nhost: x\r\n\r\n')
    const startedMs = performance.now()
    expect(await daemon.ok('GET', '/v1/status')).toMatchObject({ state: 'running' })
    const { result } = await daemon.publish({ name: 'beside', version: '1.0.0', files: { 'a.txt': 'a' } })
    expect(result).toMatchObject({ name: 'beside' })
    expect(performance.now() - startedMs).toBeLessThan(5000)
    const status = await daemon.ok('GET', '/v1/status')
    // 20 readers of 24 MiB that do not read: a small part of it is in memory.
    expect(status.memory.rssBytes).toBeLessThan(400 * MIB)
    for (const socket of sockets) socket.destroy()
    const { packages } = await daemon.ok('GET', '/v1/packages')
    expect(packages.length).toBeGreaterThan(2)
  })

  it('that cancels an operation gets its end, once and for all', async () => {
    const unreachable =
      '/ip4/127.0.0.1/udp/9/quic-v1/p2p/12D3KooWRm1LqZQ2M3TQj1qieZja6xCc9WebQrmKEuDN4wPrkoCW'
    const { operation } = await daemon.ok('POST', '/v1/fetches', { spec: 'x', from: unreachable })
    const waiting = daemon.api('GET', `/v1/operations/${operation.id}?wait=20000`)
    await daemon.ok('DELETE', `/v1/operations/${operation.id}`)
    expect((await waiting).json.operation).toMatchObject({ state: 'cancelled' })
    const again = await daemon.ok('DELETE', `/v1/operations/${operation.id}`)
    expect(again.operation.state).toBe('cancelled')
  })

  it('has at no time made the daemon log an error', async () => {
    await daemon.stop()
    const lines = await daemon.log()
    expect(lines.filter(line => line.level === 'error' || line.level === 50)).toEqual([])
    daemon = await eventually(() => net.start('one'))
  })
})
