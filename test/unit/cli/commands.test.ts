import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { interrupted } from '../../../cli/framework/interrupt.ts'
import { copied, fetched, held, release, status, verified, why } from './support/answers.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { done, type FakeDaemon, failed, startFakeDaemon } from './support/fake-daemon.ts'
import { PEER_CASES } from './support/peer-cases.ts'

let folder: ReturnType<typeof temporaryFolder>
let daemon: FakeDaemon
beforeEach(async () => {
  folder = temporaryFolder()
  daemon = await startFakeDaemon(folder.folder)
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

describe('each command passes the request on and shows the answer', () => {
  const cases: Array<{
    argv: string[]
    route: string
    answer: unknown
    query?: Record<string, string>
    body?: unknown
    document?: unknown
    text: string
  }> = [
    { argv: ['status'], route: 'GET /v1/status', answer: status, text: 'running' },
    {
      argv: ['id'],
      route: 'GET /v1/id',
      answer: { peerId: '12D3KooB', publicKey: 'z6Mk', addresses: ['/ip4/127.0.0.1/udp/1/quic-v1'] },
      text: '12D3KooB'
    },
    { argv: ['invite'], route: 'POST /v1/invites', answer: { invite: 'catalog1:abc' }, text: 'catalog1:abc' },
    ...PEER_CASES,
    { argv: ['pause'], route: 'POST /v1/pause', answer: { state: 'paused' }, text: 'paused' },
    { argv: ['resume'], route: 'POST /v1/resume', answer: { state: 'running' }, text: 'running' },
    {
      argv: ['list', '--limit', '5', '--after', 'x'],
      route: 'GET /v1/packages',
      answer: { packages: [release], next: 'y' },
      query: { limit: '5', after: 'x' },
      text: '1.50 MB'
    },
    {
      argv: ['info', '@acme/tool@^1', '--publisher', 'z6Mk', '--local'],
      route: 'GET /v1/releases',
      answer: {
        ...release,
        description: 'A tool',
        dependencies: [{ name: 'a', range: '^1', kind: 'required' }]
      },
      query: { spec: '@acme/tool@^1', publisher: 'z6Mk', network: 'false' },
      text: 'a ^1 (required)'
    },
    {
      argv: ['versions', 'tool'],
      route: 'GET /v1/versions',
      answer: { versions: [release] },
      query: { name: 'tool', network: 'true' },
      document: { name: 'tool', versions: [release] },
      text: '1.2.0'
    },
    {
      argv: ['fetch', 'tool', '--from', '12D3KooA', '--priority', 'low'],
      route: 'POST /v1/fetches',
      answer: fetched,
      body: { spec: 'tool', from: '12D3KooA', priority: 'low' },
      document: { ...fetched, publisher: 'z6MkOwner' },
      text: 'tool@1.2.0: 100 B in 12 ms'
    },
    {
      argv: ['verify', 'tool'],
      route: 'POST /v1/verifications',
      answer: verified,
      body: { spec: 'tool' },
      text: '7 blocks checked'
    },
    {
      argv: ['verify', '--all'],
      route: 'POST /v1/verifications',
      answer: verified,
      body: {},
      text: 'tree of home: the node 3 of the tree is missing\ntree of home, 2 records: built anew, now as it should be\n7 blocks'
    },
    {
      argv: ['content', 'list', '--limit', '5', '--after', 'bafyother'],
      route: 'GET /v1/contents',
      answer: {
        contents: [held, { ...held, state: 'damaged', sizeBytes: undefined, usedAt: null }],
        next: 'bafynext'
      },
      query: { limit: '5', after: 'bafyother' },
      text: 'bafycontent  1.50 MB  complete  pinned, own  2026-11-29  @acme/tool@1.2.0, other@1.0.0'
    },
    {
      argv: ['content', 'remove', 'bafycontent'],
      route: 'DELETE /v1/contents/bafycontent',
      answer: { content: 'bafycontent' },
      text: 'bafycontent is let go of'
    },
    {
      argv: ['content', 'copy', '--to', '/mnt/new'],
      route: 'POST /v1/copies',
      answer: copied,
      body: { to: '/mnt/new' },
      text: '2 releases in /mnt/new: 1.50 MB copied in 1 s, 1.50 MB/s, 100 B were there'
    },
    { argv: ['why', 'tool'], route: 'GET /v1/why', answer: why, query: { spec: 'tool' }, text: 'timed out' },
    {
      argv: ['config', 'show', 'store'],
      route: 'GET /v1/config',
      answer: {
        values: [
          { key: 'store.quota', value: '100GB', origin: 'default', description: '' },
          { key: 'network.id', value: 'main', origin: 'file', description: '' }
        ],
        warnings: []
      },
      document: {
        values: [{ key: 'store.quota', value: '100GB', origin: 'default', description: '' }],
        warnings: []
      },
      text: '100GB'
    },
    {
      argv: ['config', 'set', 'store.quota', '20GiB'],
      route: 'PUT /v1/config/store.quota',
      answer: { key: 'store.quota', value: '20GiB', restartNeeded: true },
      body: { value: '20GiB' },
      text: 'store.quota = "20GiB"'
    },
    {
      argv: ['log', '--errors', '--since', '1h'],
      route: 'GET /v1/log/errors',
      answer: {
        errors: [
          {
            code: 'DIAL_FAILED',
            part: 'sync',
            level: 'info',
            message: 'a library could not be followed',
            peer: '12D3KooWx',
            firstAt: '2026-01-01T00:00:00.000Z',
            lastAt: '2026-01-01T01:00:00.000Z',
            times: 3
          }
        ]
      },
      text: '2026-01-01T01:00:00.000Z  3      DIAL_FAILED  sync  12D3KooWx  a library could not be followed'
    },
    {
      argv: ['log', '--set-level', 'debug'],
      route: 'PUT /v1/log/level',
      answer: { level: 'debug' },
      body: { level: 'debug' },
      text: 'debug'
    }
  ]

  const longWork = new Set(['POST /v1/fetches', 'POST /v1/verifications', 'POST /v1/copies'])

  it.each(cases.map(item => [item.argv.join(' '), item] as const))('%s', async (_, item) => {
    daemon.routes.set(item.route, () =>
      longWork.has(item.route) ? done('work', item.answer) : { json: item.answer }
    )
    const asJson = await cli([...item.argv, '--json'], { home: daemon.home })
    expect(asJson.stderr).toBe('')
    expect(asJson.status).toBe(0)
    expect(asJson.json()).toEqual(item.document ?? item.answer)

    const [request] = daemon.seen
    if (item.query !== undefined) expect(Object.fromEntries(request!.url.searchParams)).toEqual(item.query)
    if (item.body !== undefined) expect(JSON.parse(request!.body.toString())).toEqual(item.body)

    const asText = await cli(item.argv, { home: daemon.home })
    expect(asText.status).toBe(0)
    expect(asText.stdout).toContain(item.text)
    expect(asText.stdout).not.toContain('{')
  })
})

describe('content copy', () => {
  it('names what was not copied, and ends with 1', async () => {
    const notCopied = [{ release: 'bad@1.0.0', error: 'CONTENT_CORRUPT' }]
    daemon.routes.set('POST /v1/copies', () =>
      done('work', { ...copied, ok: false, copiedBytes: 0, reusedBytes: 0, failed: 1, notCopied })
    )
    const { status: exit, stdout } = await cli(['content', 'copy', '--to', '/mnt/new'], { home: daemon.home })
    expect(exit).toBe(1)
    expect(stdout).toContain('not copied: bad@1.0.0 (CONTENT_CORRUPT)')
    expect(stdout).toContain('2 releases in /mnt/new: nothing to copy\n')
    expect(stdout).toContain('1 release not copied;')
  })

  it('wants to know where to', async () => {
    const { status: exit, stderr } = await cli(['content', 'copy'], { home: daemon.home })
    expect([exit, daemon.seen]).toEqual([2, []])
    expect(stderr).toContain('give --to DIR')
  })
})

describe('errors of the daemon', () => {
  it.each([
    [404, 'RELEASE_NOT_FOUND', 3],
    [403, 'KEY_LOCKED', 4],
    [502, 'BYTES_WRONG', 5],
    [404, 'NO_PROVIDERS', 6],
    [503, 'SHUTTING_DOWN', 7],
    [409, 'RELEASE_EXISTS', 8]
  ])('HTTP %i %s exits %i, with the request id', async (http, code, exit) => {
    daemon.routes.set('GET /v1/releases', () => failed(http, code, 'it did not work'))
    const text = await cli(['info', 'x'], { home: daemon.home })
    expect([text.status, text.stdout]).toEqual([exit, ''])
    expect(text.stderr).toBe(`catalog: ${code}: it did not work (request req-1); do this\n`)
    const json = await cli(['info', 'x', '--json'], { home: daemon.home })
    expect(json.status).toBe(exit)
    expect(json.json()).toEqual({
      error: { code, message: 'it did not work', hint: 'do this', details: { requestId: 'req-1' } }
    })
  })

  it('of an operation are shown as its own', async () => {
    const error = { code: 'NO_PROVIDERS', message: 'nobody has it', hint: 'wait' }
    const operation = {
      id: 'op1',
      kind: 'fetch',
      state: 'failed',
      progress: { phase: 'finding' },
      error,
      requestId: 'req-9'
    }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation } }))
    const { status, stderr } = await cli(['fetch', 'x'], { home: daemon.home })
    expect(status).toBe(6)
    expect(stderr).toBe('catalog: NO_PROVIDERS: nobody has it (request req-9); wait\n')
  })

  it('that are no JSON, or no error, are a bug with a code', async () => {
    daemon.routes.set('GET /v1/status', () => response => void response.writeHead(500).end('<html>'))
    expect((await cli(['status', '--json'], { home: daemon.home })).json().error).toMatchObject({
      code: 'INTERNAL'
    })
    daemon.routes.set('GET /v1/status', () => response => void response.writeHead(500).end('{}'))
    expect((await cli(['status', '--json'], { home: daemon.home })).json().error).toMatchObject({
      code: 'INTERNAL'
    })
  })

  it('bring no control characters of strangers to the terminal', async () => {
    daemon.routes.set('GET /v1/releases', () => failed(404, 'NOT_FOUND', 'no \u001b[31mred\u202e text'))
    const { stderr } = await cli(['info', 'x'], { home: daemon.home })
    expect(stderr).toContain('no \\x1b[31mred\\u202e text')
    daemon.routes.set('GET /v1/packages', () => ({
      json: { packages: [{ ...release, name: 'a\u001b]0;x\u0007' }] }
    }))
    expect((await cli(['list'], { home: daemon.home })).stdout).toContain('a\\x1b]0;x\\x07')
  })
})

describe('without a daemon', () => {
  it('every command that needs one exits 7 and says what to do', async () => {
    const empty = temporaryFolder()
    for (const argv of [['status'], ['fetch', 'x'], ['list'], ['log'], ['config', 'show']]) {
      const result = await cli([...argv, '--json'], { home: empty.folder })
      expect(result.status).toBe(7)
      expect(result.json().error).toMatchObject({
        code: 'NO_DAEMON',
        hint: expect.stringContaining('catalog daemon')
      })
    }
    empty.remove()
  })

  it('a home whose socket path is too long is named', async () => {
    const result = await cli(['status', '--json'], { home: `/tmp/${'x'.repeat(100)}` })
    expect(result.status).toBe(2)
    expect(result.json().error).toMatchObject({ code: 'SOCKET_PATH_TOO_LONG' })
  })

  it('one that breaks off in the middle of its answer is told apart', async () => {
    daemon.routes.set('GET /v1/status', () => response => {
      response.writeHead(200, { 'content-length': '1000' })
      response.write('{"state":')
      response.destroy()
    })
    const result = await cli(['status', '--json'], { home: daemon.home })
    expect(result.status).toBe(7)
    expect(result.json().error).toMatchObject({
      code: 'NO_DAEMON',
      message: expect.stringContaining('broke off')
    })
  })
})

describe('long work', () => {
  it('is cancelled at the daemon on Ctrl-C, exit 130', async () => {
    const controller = new AbortController()
    const running = { id: 'op1', kind: 'fetch', state: 'running', progress: { phase: 'finding' } }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation: running } }))
    daemon.routes.set('GET /v1/operations/op1', () => () => controller.abort(interrupted('SIGINT')))
    daemon.routes.set('DELETE /v1/operations/op1', () => ({ json: { operation: running } }))
    const result = await cli(['fetch', 'x', '--json'], { home: daemon.home, signal: controller.signal })
    expect(result.status).toBe(130)
    expect(result.json().error).toMatchObject({ code: 'ABORTED' })
    expect(daemon.seen.at(-1)?.method).toBe('DELETE')
  })

  it('is cancelled also when Ctrl-C comes before the daemon has said what its name is', async () => {
    const controller = new AbortController()
    const running = { id: 'op1', kind: 'fetch', state: 'running', progress: { phase: 'finding' } }
    daemon.routes.set('POST /v1/fetches', () => {
      controller.abort(interrupted('SIGINT'))
      return { status: 202, json: { operation: running } }
    })
    daemon.routes.set('DELETE /v1/operations/op1', () => ({ json: { operation: running } }))
    const result = await cli(['fetch', 'x', '--json'], { home: daemon.home, signal: controller.signal })
    expect(result.status).toBe(130)
    expect(daemon.seen.map(({ method }) => method)).toEqual(['POST', 'DELETE'])
  })

  it('is cancelled at the daemon when --timeout is over, exit 6', async () => {
    const running = { id: 'op1', kind: 'fetch', state: 'running', progress: { phase: 'finding' } }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation: running } }))
    daemon.routes.set('GET /v1/operations/op1', () => () => {})
    daemon.routes.set('DELETE /v1/operations/op1', () => ({ json: { operation: running } }))
    const result = await cli(['fetch', 'x', '--json', '--timeout', '1s'], { home: daemon.home })
    expect(result.status).toBe(6)
    expect(result.json().error).toMatchObject({ code: 'TIMEOUT' })
    expect(daemon.seen.at(-1)?.method).toBe('DELETE')
  })

  it('is asked for until it ends, and reported as JSON lines on stderr with --progress json', async () => {
    const at = (bytesDone: number, state: string): object => ({
      operation: {
        id: 'op1',
        kind: 'fetch',
        state,
        progress: { phase: 'fetching', bytesDone, bytesTotal: 100 },
        result: fetched
      }
    })
    const answers = [at(50, 'running'), at(100, 'done')]
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: at(0, 'running') }))
    daemon.routes.set('GET /v1/operations/op1', () => ({ json: answers.shift() }))
    const result = await cli(['fetch', 'x', '--json', '--progress', 'json'], { home: daemon.home })
    expect(result.json()).toMatchObject({ bytesFetched: 100 })
    const lines = result.stderr
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines[0]).toMatchObject({ event: 'progress', phase: 'fetching', bytesDone: 0, bytesTotal: 100 })
    expect(lines.at(-1)).toMatchObject({ bytesDone: 100 })
  })

  it('draws a bar on a terminal and wipes it; --quiet draws none', async () => {
    const running = {
      id: 'op1',
      kind: 'fetch',
      state: 'running',
      progress: { phase: 'fetching', bytesDone: 50, bytesTotal: 100 }
    }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation: running } }))
    daemon.routes.set('GET /v1/operations/op1', () => ({
      json: { operation: { ...running, state: 'done', result: fetched } }
    }))
    const { stderr } = await cli(['fetch', 'x'], { home: daemon.home, isTTY: true })
    expect(stderr).toContain('[############------------]  50 %  50 B of 100 B')
    expect(stderr.endsWith('\r\u001b[2K')).toBe(true)
    expect((await cli(['fetch', 'x', '--quiet'], { home: daemon.home, isTTY: true })).stderr).toBe('')
  })
})
