import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cli, temporaryFolder } from './support/cli.ts'
import { done, type FakeDaemon, failed, startFakeDaemon } from './support/fake-daemon.ts'

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

const release = {
  name: '@acme/tool',
  version: '1.2.0',
  type: 'package',
  publisher: 'z6MkOwner',
  id: 'bafyrecord',
  content: 'bafycontent',
  sizeBytes: 1_500_000,
  status: 'published',
  access: 'public',
  local: 'complete'
}
const peer = {
  peerId: '12D3KooA',
  addresses: ['/ip4/1.2.3.4/udp/1/quic-v1'],
  direction: 'out',
  rttMs: 1.5,
  score: null,
  limits: {}
}
const verified = { ok: true, checked: 7, bytes: 4096, missing: 0, corrupt: 0, bad: [], partial: [] }
const fetched = {
  id: 'bafyrecord',
  name: 'tool',
  version: '1.2.0',
  content: 'bafycontent',
  sizeBytes: 100,
  files: 2,
  owner: 'z6MkOwner',
  dependencies: [],
  bytesFetched: 100,
  bytesReused: 0,
  sources: [{ peerId: '12D3KooA', bytes: 100 }],
  tookMs: 12
}
const why = {
  spec: 'tool',
  name: 'tool',
  releases: [release],
  holders: [{ peerId: '12D3KooA', source: 'dht', ageMs: 1000, lastError: 'timed out' }],
  local: 'none',
  reasons: ['nobody answered']
}
const status = {
  state: 'running',
  health: { score: 1, reasons: [] },
  uptimeMs: 61_000,
  peers: 2,
  library: { root: null, revision: 4, releases: 3 },
  store: { bytes: 1000, quotaBytes: 2000, chunks: 5 },
  memory: { rssBytes: 80_000_000 },
  queues: {},
  rates: {},
  version: '0.1.0'
}

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
    { argv: ['peers', 'list'], route: 'GET /v1/peers', answer: { peers: [peer] }, text: '1.5 ms' },
    {
      argv: ['peers', 'connect', '/ip4/1.2.3.4/udp/1/quic-v1'],
      route: 'POST /v1/peers',
      answer: peer,
      body: { address: '/ip4/1.2.3.4/udp/1/quic-v1' },
      text: 'connected to 12D3KooA'
    },
    {
      argv: ['peers', 'disconnect', '12D3KooA'],
      route: 'DELETE /v1/peers/12D3KooA',
      answer: {},
      document: { peerId: '12D3KooA' },
      text: 'disconnected'
    },
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
      argv: ['fetch', 'tool', '--from', '12D3KooA'],
      route: 'POST /v1/fetches',
      answer: fetched,
      body: { spec: 'tool', from: '12D3KooA' },
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
      text: 'as they should be'
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
      argv: ['log', '--set-level', 'debug'],
      route: 'PUT /v1/log/level',
      answer: { level: 'debug' },
      body: { level: 'debug' },
      text: 'debug'
    }
  ]

  const longWork = new Set(['POST /v1/fetches', 'POST /v1/verifications'])

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
  it('is cancelled at the daemon on Ctrl-C, exit 1', async () => {
    const controller = new AbortController()
    const running = { id: 'op1', kind: 'fetch', state: 'running', progress: { phase: 'finding' } }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation: running } }))
    daemon.routes.set('GET /v1/operations/op1', () => () => controller.abort())
    daemon.routes.set('DELETE /v1/operations/op1', () => ({ json: { operation: running } }))
    const result = await cli(['fetch', 'x', '--json'], { home: daemon.home, signal: controller.signal })
    expect(result.status).toBe(1)
    expect(result.json().error).toMatchObject({ code: 'ABORTED' })
    expect(daemon.seen.at(-1)?.method).toBe('DELETE')
  })

  it('is cancelled at the daemon when --timeout is over, exit 6', async () => {
    const running = { id: 'op1', kind: 'fetch', state: 'running', progress: { phase: 'finding' } }
    daemon.routes.set('POST /v1/fetches', () => ({ status: 202, json: { operation: running } }))
    daemon.routes.set('GET /v1/operations/op1', () => () => {})
    daemon.routes.set('DELETE /v1/operations/op1', () => ({ json: { operation: running } }))
    const result = await cli(['fetch', 'x', '--json', '--timeout', '50ms'], { home: daemon.home })
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

describe('verify', () => {
  it('that finds bad blocks shows them as its result and exits 5', async () => {
    const bad = {
      ok: false,
      checked: 3,
      bytes: 30,
      missing: 0,
      corrupt: 1,
      bad: [{ release: 'a@1.0.0', id: 'ff', path: 'x/y', reason: 'corrupt' }],
      partial: []
    }
    daemon.routes.set('POST /v1/verifications', () => done('verify', bad))
    const json = await cli(['verify', '--all', '--json'], { home: daemon.home })
    expect(json.status).toBe(5)
    expect(json.json()).toEqual(bad)
    expect((await cli(['verify', '--all'], { home: daemon.home })).stdout).toContain(
      'corrupt: a@1.0.0 x/y (ff)'
    )
  })

  it('names at most 20 of them and tells the true number; a partial release is no failure', async () => {
    const block = { release: 'a@1.0.0', id: 'ff', path: 'x/y', reason: 'missing' }
    const partial = [{ release: 'b@1.0.0', blocks: 3, blocksKnown: 9 }]
    const sums = { checked: 3, bytes: 30, corrupt: 0, partial }
    const many = { ...sums, ok: false, missing: 5000, bad: Array.from({ length: 1000 }, () => block) }
    daemon.routes.set('POST /v1/verifications', () => done('verify', many))
    const bad = await cli(['verify', '--all'], { home: daemon.home })
    expect(bad.status).toBe(5)
    expect(bad.stdout.match(/^missing:/gm)).toHaveLength(20)
    expect(bad.stdout).toContain('and 4980 more')
    expect(bad.stdout).toContain('0 corrupt, 5000 missing')

    daemon.routes.set('POST /v1/verifications', () =>
      done('verify', { ...sums, ok: true, missing: 0, bad: [] })
    )
    const whole = await cli(['verify', '--all'], { home: daemon.home })
    expect(whole.status).toBe(0)
    expect(whole.stdout).toContain('partial: b@1.0.0 (3 of 9 blocks)')
  })
})

describe('why', () => {
  it.each([
    ['RELEASE_NOT_FOUND', 3],
    ['NO_PROVIDERS', 6]
  ])('of what is not found (%s) prints its document and exits %i', async (problem, exit) => {
    daemon.routes.set('GET /v1/why', () => ({ json: { ...why, releases: [], problem } }))
    const result = await cli(['why', 'nosuch', '--json'], { home: daemon.home })
    expect(result.status).toBe(exit)
    expect(result.json()).toMatchObject({ problem, reasons: why.reasons })
  })
})

describe('list --all', () => {
  it('follows the pages to the last one', async () => {
    daemon.routes.set('GET /v1/packages', ({ url }) => {
      const after = Number(url.searchParams.get('after') ?? 0)
      return {
        json: {
          packages: [{ ...release, version: `${after}.0.0` }],
          ...(after < 3 ? { next: String(after + 1) } : {})
        }
      }
    })
    const { packages } = (await cli(['list', '--all', '--json'], { home: daemon.home })).json()
    expect((packages as Array<{ version: string }>).map(({ version }) => version)).toEqual([
      '0.0.0',
      '1.0.0',
      '2.0.0',
      '3.0.0'
    ])
  })
})

describe('log', () => {
  const lines = [
    '{"level":30,"time":0,"msg":"state changed","to":"running"}',
    '{"level":50,"time":1000,"msg":"disk","err":{"code":"EIO"}}'
  ]

  it('shows lines for people, or as one document', async () => {
    daemon.routes.set('GET /v1/log', () => response => void response.end(`${lines.join('\n')}\n`))
    const text = await cli(['log', '--level', 'info'], { home: daemon.home })
    expect(text.stdout).toBe(
      '00:00:00.000 info  state changed to=running\n00:00:01.000 error disk err={"code":"EIO"}\n'
    )
    expect(daemon.seen[0]!.url.searchParams.get('level')).toBe('info')
    const json = await cli(['log', '--json'], { home: daemon.home })
    expect(json.json()).toEqual({ lines: lines.map(line => JSON.parse(line)) })
  })

  it('follows until Ctrl-C, which is no failure', async () => {
    const controller = new AbortController()
    daemon.routes.set('GET /v1/log', () => response => {
      response.write(`${lines[0]}\n${lines[1]?.slice(0, 20)}`)
      setImmediate(() => response.write(`${lines[1]?.slice(20)}\n`))
    })
    const result = await cli(['log', '--follow', '--json'], {
      home: daemon.home,
      signal: controller.signal,
      onOutput: stdout => {
        if (stdout.includes('EIO')) controller.abort()
      }
    })
    expect(result.status).toBe(0)
    expect(result.stdout).toBe(`${lines.join('\n')}\n`)
  })
})

describe('colours', () => {
  it('are for terminals, unless NO_COLOR says otherwise; --color decides', async () => {
    const shown = async (argv: string[], env: NodeJS.ProcessEnv, isTTY: boolean): Promise<boolean> =>
      (await cli(['fetch', ...argv], { env, isTTY })).stderr.includes('\u001b[')
    expect(await shown([], {}, true)).toBe(true)
    expect(await shown([], { NO_COLOR: '1' }, true)).toBe(false)
    expect(await shown([], { TERM: 'dumb' }, true)).toBe(false)
    expect(await shown([], {}, false)).toBe(false)
  })
})
