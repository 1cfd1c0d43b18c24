import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { release, why } from './support/answers.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { done, type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

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

describe('verify', () => {
  it('that finds bad blocks shows them as its result and exits 5', async () => {
    const bad = {
      ok: false,
      checked: 3,
      bytes: 30,
      missing: 0,
      corrupt: 1,
      bad: [{ release: 'a@1.0.0', id: 'ff', path: 'x/y', reason: 'corrupt' }],
      partial: [],
      repaired: [],
      trees: []
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
    const sums = { checked: 3, bytes: 30, corrupt: 0, partial, repaired: [], trees: [] }
    const many = { ...sums, ok: false, missing: 5000, bad: Array.from({ length: 1000 }, () => block) }
    daemon.routes.set('POST /v1/verifications', () => done('verify', many))
    const bad = await cli(['verify', '--all'], { home: daemon.home })
    expect(bad.status).toBe(5)
    expect(bad.stdout.match(/^missing:/gm)).toHaveLength(20)
    expect(bad.stdout).toContain('and 4980 more')
    expect(bad.stdout).toContain('0 corrupt, 5000 missing; `catalog verify --all --repair` fetches')

    daemon.routes.set('POST /v1/verifications', () =>
      done('verify', { ...sums, ok: true, missing: 0, bad: [] })
    )
    const whole = await cli(['verify', '--all'], { home: daemon.home })
    expect(whole.status).toBe(0)
    expect(whole.stdout).toContain('partial: b@1.0.0 (3 of 9 blocks)')
  })
})

describe('verify --repair', () => {
  it.each([
    [true, 0, '1 corrupt, 0 missing; now all fetched again'],
    [false, 5, '1 corrupt, 0 missing; not all fetched again']
  ])('says what is so after it (repaired: %s)', async (ok, exit, verdict) => {
    const repaired = [{ release: 'a@1.0.0', ok }]
    const sums = { ok, checked: 3, bytes: 30, corrupt: 1, missing: 0, bad: [], partial: [], trees: [] }
    daemon.routes.set('POST /v1/verifications', () => done('verify', { ...sums, repaired }))
    const result = await cli(['verify', '--all', '--repair'], { home: daemon.home })
    expect(result.status).toBe(exit)
    expect(result.stdout).toContain(verdict)
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
    expect(await shown(['x', '--color', 'always'], {}, false)).toBe(true)
    expect(await shown(['x', '--color', 'never'], {}, true)).toBe(false)
  })
})
