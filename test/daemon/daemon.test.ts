import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ALL_METRICS } from '../../base/index.ts'
import { eventually, TestNet, tarOf } from './support.ts'

let net: TestNet
beforeEach(async () => {
  net = await TestNet.create()
})
afterEach(() => net.destroy())

describe('one daemon', () => {
  it('starts, answers, stores, publishes, gives back the same tar, and stops', async () => {
    const daemon = await net.start('one')
    const status = await daemon.ok('GET', '/v1/status')
    expect(status).toMatchObject({ state: 'running', peers: 0, library: { releases: 0 } })
    expect(await daemon.ok('GET', '/v1/id')).toMatchObject({
      peerId: daemon.peerId,
      addresses: [daemon.address]
    })
    const { record, tar, result } = await daemon.publish({
      name: '@acme/ui',
      version: '1.0.0',
      files: {
        'README.md': '# UI\n',
        'src/index.js': 'export {}\n',
        'big.bin': new Uint8Array(3_000_000).fill(7)
      }
    })
    expect(result).toMatchObject({
      name: '@acme/ui',
      version: '1.0.0',
      id: record.id.toString(),
      content: record.release.content.toString(),
      files: 3
    })
    const out = await daemon.api('GET', `/v1/contents/${record.release.content}/tar`)
    expect(out.trailers['x-catalog-status']).toBe('ok')
    expect(await sameFiles(out.bytes, tar)).toBe(true)
    const list = await daemon.ok('GET', '/v1/packages')
    expect(list.packages).toMatchObject([{ name: '@acme/ui', version: '1.0.0', local: 'complete' }])
    const info = await daemon.ok('GET', `/v1/releases?spec=${encodeURIComponent('@acme/ui')}`)
    expect(info).toMatchObject({ name: '@acme/ui', files: 3, pinned: true })
    const verified = await daemon.operation('/v1/verifications', {})
    expect(verified).toMatchObject({ state: 'done', result: { ok: true, bad: [] } })
    expect((await daemon.stop()).code).toBe(0)
    expect(await readdir(daemon.home.root)).not.toContain('daemon.json')
  })

  it('keeps what was published over kill -9', async () => {
    const first = await net.start('one')
    const { record } = await first.publish({ name: 'kept', version: '1.0.0', files: { a: 'a' } })
    await first.kill()
    const second = await net.start('one')
    const list = await second.ok('GET', '/v1/packages')
    expect(list.packages).toMatchObject([{ name: 'kept', id: record.id.toString(), local: 'complete' }])
  })

  it('stores no release whose content is not here or not what the record states', async () => {
    const daemon = await net.start('one')
    const ingested = await daemon.ok('POST', '/v1/ingests', await tarOf({ a: 'content' }))
    const cases = [
      [
        { ...ingested, content: 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy' },
        'CONTENT_MISSING'
      ],
      [{ ...ingested, sizeBytes: ingested.sizeBytes + 1 }, 'CONTENT_INVALID']
    ] as const
    for (const [stated, code] of cases) {
      const record = await daemon.sign({ name: 'hollow', version: '1.0.0' }, stated)
      const body = { record: Buffer.from(record.bytes).toString('base64') }
      expect(await daemon.operation('/v1/packages', body)).toMatchObject({ state: 'failed', error: { code } })
    }
    expect(await daemon.ok('GET', '/v1/packages')).toMatchObject({ packages: [] })
  })

  it('is told who holds the home', async () => {
    const first = await net.start('one')
    const { code, error } = await net.startFailing('one')
    expect(code).toBe(8)
    expect(error).toMatchObject({ code: 'HOME_LOCKED', details: { pid: first.process.pid } })
    expect(error.message).toContain(`process ${first.process.pid} since `)
    await first.ok('GET', '/v1/status')
  })

  it('takes over from a daemon that was killed', async () => {
    const first = await net.start('one')
    await first.kill()
    expect((await stat(first.home.socket)).isSocket()).toBe(true)
    const second = await net.start('one')
    expect((await second.ok('GET', '/v1/status')).state).toBe('running')
    expect((await stat(second.home.socket)).mode & 0o777).toBe(0o600)
  })

  it('refuses a home of a newer format and changes nothing', async () => {
    const home = await net.home('one')
    await writeFile(home.format, '99\n')
    const before = await readdir(home.root)
    const { code, error } = await net.startFailing('one')
    expect([code, error.code]).toEqual([1, 'FORMAT_TOO_NEW'])
    expect(await readdir(home.root)).toEqual(before)
    expect(await readFile(home.format, 'utf8')).toBe('99\n')
  })

  it('says what is wrong with the configuration', async () => {
    const { code, error } = await net.startFailing('one', { set: { 'store.qouta': '1GB' } })
    expect([code, error.code]).toEqual([2, 'CONFIG_UNKNOWN_KEY'])
    expect(error.message + error.hint).toContain('store.quota')
  })

  it('says when the socket path is too long, and leaves the home unlocked', async () => {
    const long = `/tmp/${'x'.repeat(120)}.sock`
    const { error } = await net.startFailing('one', { set: { 'admin.socket': long } })
    expect(error.code).toBe('SOCKET_PATH_TOO_LONG')
    await net.start('one')
  })

  it('has the metrics of the table, and no others', async () => {
    const daemon = await net.start('one')
    const text = (await daemon.api('GET', '/metrics')).bytes.toString()
    const there = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => `${name} ${type}`)
    const rows = Object.entries(ALL_METRICS).map(([name, { type, only }]) => ({
      line: `${name} ${type}`,
      only
    }))
    const missing = rows.filter(({ line, only }) => only === undefined && !there.includes(line))
    expect(missing).toEqual([])
    expect(there.filter(line => !rows.some(row => row.line === line))).toEqual([])
  })

  it('drains within its time, with a stream open', async () => {
    const daemon = await net.start('one')
    const events = daemon.api('GET', '/v1/events')
    await eventually(async () =>
      (await daemon.api('GET', '/metrics')).bytes.toString().includes('catalog_node_state_ratio')
    )
    const startedMs = performance.now()
    const { code } = await daemon.stop()
    expect(code).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(10_000)
    expect((await events).bytes.toString()).toContain('event: state')
  })

  it('ends what runs when it stops, and tells those who wait for it', async () => {
    const daemon = await net.start('one')
    const { operation } = await daemon.ok('POST', '/v1/fetches', {
      spec: 'x',
      from: '/ip4/127.0.0.1/udp/9/quic-v1/p2p/12D3KooWRm1LqZQ2M3TQj1qieZja6xCc9WebQrmKEuDN4wPrkoCW'
    })
    const waiting = daemon.api('GET', `/v1/operations/${operation.id}?wait=60000`)
    expect((await daemon.stop()).code).toBe(0)
    expect((await waiting).json.operation.state).toMatch(/cancelled|failed/)
  })

  it('refuses work while paused and goes on after', async () => {
    const daemon = await net.start('one')
    await daemon.ok('POST', '/v1/pause')
    const refused = await daemon.api('POST', '/v1/fetches', { spec: 'x' })
    expect([refused.status, refused.json.error.code]).toEqual([409, 'STATE_REFUSED'])
    // What could not be published would be uploaded for nothing.
    const upload = await daemon.api('POST', '/v1/ingests', await tarOf({ a: 'a' }))
    expect([upload.status, upload.json.error.code]).toEqual([409, 'STATE_REFUSED'])
    expect((await daemon.ok('GET', '/v1/status')).state).toBe('paused')
    await daemon.ok('POST', '/v1/resume')
    expect((await daemon.ok('GET', '/v1/status')).state).toBe('running')
    await daemon.ok('POST', '/v1/ingests', await tarOf({ a: 'a' }))
  })

  it('writes the request id into its log, changes its level live, and counts errors over a restart', async () => {
    const daemon = await net.start('one')
    await daemon.ok('PUT', '/v1/log/level', { level: 'debug' })
    const missing = await daemon.api('GET', '/v1/releases?spec=nothing')
    expect(missing.json.error.code).toBe('RELEASE_NOT_FOUND')
    await daemon.stop()
    const lines = await daemon.log()
    expect(lines.filter(line => line.requestId === missing.json.error.requestId)).not.toEqual([])
    const again = await net.start('one')
    const { errors } = await again.ok('GET', '/v1/log/errors')
    expect(errors).toContainEqual(expect.objectContaining({ code: 'RELEASE_NOT_FOUND', times: 1 }))
    expect((await again.ok('GET', '/v1/status')).alerts).toEqual([])
  })

  it('writes a setting into its file and says whether it is in force', async () => {
    const daemon = await net.start('one')
    expect(await daemon.ok('PUT', '/v1/config/store.quota', { value: '5GB' })).toMatchObject({
      key: 'store.quota',
      restartNeeded: true
    })
    expect(await readFile(daemon.home.config, 'utf8')).toContain('quota = "5GB"')
    expect(await daemon.ok('PUT', '/v1/config/log.level', { value: 'debug' })).toMatchObject({
      value: 'debug',
      restartNeeded: false
    })
    const wrong = await daemon.api('PUT', '/v1/config/store.quota', { value: 'much' })
    expect([wrong.status, wrong.json.error.code]).toEqual([400, 'CONFIG_BAD_VALUE'])
  })
})

/** Whether two tar streams hold the same files with the same bytes. */
async function sameFiles(a: Buffer, b: Buffer): Promise<boolean> {
  const { extract } = await import('tar-stream')
  const read = async (tar: Buffer): Promise<string> => {
    const extractor = extract()
    extractor.end(tar)
    const files: Array<[string, string]> = []
    for await (const entry of extractor) {
      const chunks: Buffer[] = []
      for await (const chunk of entry) chunks.push(chunk as Buffer)
      files.push([entry.header.name, Buffer.concat(chunks).toString('base64')])
    }
    return JSON.stringify(files.sort())
  }
  return (await read(a)) === (await read(b))
}
