/**
 * Real daemons in real processes, on loopback, each in a home of its own under the system's folder for temporary files.
 *
 *     const net = await TestNet.create()      // in beforeAll or the test; afterwards: await net.destroy()
 *     const seed = await net.start('seed')
 *     const other = await net.start('other', { join: seed })
 *     const answer = await other.api('GET', '/v1/status')
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { inject } from 'vitest'
import { systemClock } from '../../base/index.ts'
import { createReleaseRecord, type ReleaseRecord } from '../../library/index.ts'
import { type HomeLayout, homeLayout, initHome, type Operation, type ReadyLine } from '../../node/index.ts'
import { askAdmin } from '../../testnet/drivers/admin.ts'
import type { AdminAnswer } from '../../testnet/drivers/driver.ts'
import { tarOf } from '../../testnet/scenarios/tar.ts'
import { Keyring } from '../../trust/index.ts'

export { tarOf } from '../../testnet/scenarios/tar.ts'
export { eventually } from '../eventually.ts'

const LISTEN = '/ip4/127.0.0.1/udp/0/quic-v1'
/** Generous: the machine may run other tests. */
const READY_TIMEOUT_MS = 60_000
/** A daemon promises 10 s. */
const STOP_TIMEOUT_MS = 12_000
const OPERATION_TIMEOUT_MS = 25_000

export interface StartOptions {
  /** Daemons to join through. */
  join?: TestDaemon | TestDaemon[]
  /** Settings, as with `--set`. */
  set?: Record<string, string>
  env?: Record<string, string>
  /** Name of the network namespace to run in. */
  netns?: string
}

/** What a process said when it ended. */
export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** A set of homes and the daemons that run on them. */
export class TestNet {
  readonly folder: string
  readonly #daemons: TestDaemon[] = []

  static async create(): Promise<TestNet> {
    return new TestNet(await mkdtemp(join(tmpdir(), 'catalog-net-')))
  }

  private constructor(folder: string) {
    this.folder = folder
  }

  /** The home of that name, made when it is not there. */
  async home(name: string): Promise<HomeLayout> {
    const root = join(this.folder, name)
    try {
      return (await initHome({ clock: systemClock }, { root })).home
    } catch (error) {
      if ((error as { code?: string }).code === 'HOME_EXISTS') return homeLayout(root)
      throw error
    }
  }

  /** Starts a daemon on the home of that name and waits until it is ready. Throws what it said when it does not start. */
  async start(name: string, options: StartOptions = {}): Promise<TestDaemon> {
    const home = await this.home(name)
    const daemon = new TestDaemon(home, runDaemon(home.root, options))
    this.#daemons.push(daemon)
    await daemon.ready()
    return daemon
  }

  /** Starts a daemon that is expected to fail, and waits for its end. */
  async startFailing(name: string, options: StartOptions = {}): Promise<Ended & { error: ErrorDocument }> {
    const home = await this.home(name)
    const child = runDaemon(home.root, options)
    const stdout = text(child.stdout!)
    const stderr = text(child.stderr!)
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    const ended = { code, signal, stdout: await stdout, stderr: await stderr }
    return { ...ended, error: (JSON.parse(ended.stdout) as { error: ErrorDocument }).error }
  }

  /** Kills what runs and removes all homes. */
  async destroy(): Promise<void> {
    await Promise.all(this.#daemons.map(daemon => daemon.kill()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

function runDaemon(
  home: string,
  { join: through = [], set = {}, env = {}, netns }: StartOptions
): ChildProcess {
  const peers = Array.isArray(through) ? through : [through]
  const args = [inject('program'), 'daemon', '--home', home, '--json', '--no-mdns', '--listen', LISTEN]
  if (peers.length > 0) args.push('--bootstrap', ...peers.map(peer => peer.address))
  for (const [key, value] of Object.entries(set)) args.push('--set', `${key}=${value}`)
  const [command = '', ...rest] =
    netns === undefined
      ? [process.execPath, ...args]
      : ['ip', 'netns', 'exec', netns, process.execPath, ...args]
  return spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } })
}

export interface ErrorDocument {
  code: string
  message: string
  hint: string
  details?: Record<string, unknown>
  requestId?: string
}

export type Answer = AdminAnswer

/** One daemon process and its admin socket. */
export class TestDaemon {
  readonly home: HomeLayout
  readonly process: ChildProcess
  readonly #stderr: Promise<string>
  readonly #ended: Promise<Ended>
  #ready: ReadyLine | undefined

  constructor(home: HomeLayout, child: ChildProcess) {
    this.home = home
    this.process = child
    this.#stderr = text(child.stderr!)
    this.#ended = once(child, 'exit').then(async ([code, signal]) => ({
      code,
      signal,
      stdout: '',
      stderr: await this.#stderr
    }))
  }

  async ready(): Promise<ReadyLine> {
    if (this.#ready !== undefined) return this.#ready
    const lines = createInterface({ input: this.process.stdout! })
    const first = once(lines, 'line', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })
    const ended = this.#ended.then(({ code, stderr }) => {
      throw new Error(`the daemon ended with ${code} before it was ready: ${stderr}`)
    })
    const [line] = (await Promise.race([first, ended])) as [string]
    const document = JSON.parse(line) as ReadyLine & { error?: ErrorDocument }
    if (document.error !== undefined) throw new Error(`${document.error.code}: ${document.error.message}`)
    this.#ready = document
    return document
  }

  get peerId(): string {
    return this.#said().peerId
  }

  get addresses(): string[] {
    return this.#said().addresses
  }

  /** Its first address, for others to join through. */
  get address(): string {
    return this.#said().addresses[0]!
  }

  /** Sends a signal and waits for the end. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.process.kill(signal)
    return await this.ended()
  }

  /** kill -9. */
  async kill(): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#ended
  }

  async ended(timeoutMs = STOP_TIMEOUT_MS): Promise<Ended> {
    const signal = AbortSignal.timeout(timeoutMs)
    const late = once(signal, 'abort').then(() => {
      throw new Error(`the daemon did not end within ${timeoutMs} ms`)
    })
    return await Promise.race([this.#ended, late])
  }

  /** One request. `body`: bytes are sent as a tar stream, anything else as JSON. */
  async api(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {}
  ): Promise<Answer> {
    return await askAdmin(this.home.socket, { method, path, body, headers })
  }

  /** One request that must succeed; its JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: the test says what it expects in it
  async ok(method: string, path: string, body?: unknown): Promise<any> {
    const answer = await this.api(method, path, body)
    if (answer.status >= 400) throw new Error(`${method} ${path}: ${answer.bytes.toString()}`)
    return answer.json
  }

  /** Starts an operation and waits for its end, whatever it is. */
  async operation(path: string, body: unknown): Promise<Operation> {
    const { operation } = await this.ok('POST', path, body)
    return await this.untilEnded(operation.id)
  }

  async untilEnded(id: string): Promise<Operation> {
    const { operation } = await this.ok('GET', `/v1/operations/${id}?wait=${OPERATION_TIMEOUT_MS}`)
    if (operation.state === 'running')
      throw new Error(`the operation still runs: ${JSON.stringify(operation)}`)
    return operation
  }

  /** Stores files and publishes them with the home's own key. Fails when the publish does. */
  async publish(
    release: TestRelease
  ): Promise<{ record: ReleaseRecord; tar: Buffer; result: Record<string, unknown> }> {
    const tar = await tarOf(release.files)
    const ingested = await this.ok('POST', '/v1/ingests', tar)
    const record = await this.sign(release, ingested)
    const operation = await this.operation('/v1/packages', {
      record: Buffer.from(record.bytes).toString('base64'),
      wait: release.wait ?? 0,
      ...(release.library === undefined ? {} : { library: release.library })
    })
    if (operation.state !== 'done')
      throw new Error(`publish ${operation.state}: ${JSON.stringify(operation.error)}`)
    return { record, tar, result: operation.result! }
  }

  /** A release of stored content, signed and not sent. */
  async sign(
    { name, version }: Pick<TestRelease, 'name' | 'version'>,
    { content, sizeBytes, files }: { content: string; sizeBytes: number; files: number }
  ): Promise<ReleaseRecord> {
    const { CID } = await import('multiformats/cid')
    const keyring = await Keyring.open({ clock: systemClock }, { folder: this.home.keyring })
    const now = Date.now()
    return createReleaseRecord(
      {
        name,
        version,
        type: 'package',
        content: CID.parse(content),
        sizeBytes,
        files,
        publishedAt: now,
        sequence: now
      },
      await keyring.load()
    )
  }

  /** Lines of the log file. */
  async log(): Promise<Array<Record<string, unknown>>> {
    const lines = (await readFile(join(this.home.logs, 'catalog.log'), 'utf8')).trim().split('\n')
    return lines.map(line => JSON.parse(line))
  }

  #said(): ReadyLine {
    if (this.#ready === undefined) throw new Error('the daemon is not ready yet')
    return this.#ready
  }
}

export interface TestRelease {
  name: string
  version: string
  /** Contents by path. */
  files: Record<string, string | Uint8Array>
  /** Peers that must hold the announcement. */
  wait?: number
  /** Library of the node that it goes into; home unless given. */
  library?: string
}
