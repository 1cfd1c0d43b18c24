/** A real S3 server for tests, in a process and a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { BucketSettings } from '../../../library/content/bucket.ts'

const CHILD = join(import.meta.dirname, 'bucket-server.child.ts')
/** Generous: the machine may run other tests. */
const READY_TIMEOUT_MS = 20_000

export class BucketServer {
  readonly folder: string
  #process: ChildProcess | undefined
  #port = 0

  private constructor(folder: string) {
    this.folder = folder
  }

  static async start(): Promise<BucketServer> {
    const server = new BucketServer(await mkdtemp(join(tmpdir(), 'catalog-bucket-')))
    await server.up()
    return server
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  settings(prefix: string): BucketSettings {
    const credentials = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }
    return { endpoint: this.endpoint, region: 'us-east-1', bucket: 'catalog', prefix, credentials }
  }

  /** Starts it, again on the same port. */
  async up(): Promise<void> {
    const child = spawn(process.execPath, [CHILD, this.folder, String(this.#port)], {
      stdio: ['ignore', 'pipe', 'inherit']
    })
    this.#process = child
    const lines = createInterface({ input: child.stdout! })
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) })) as [string]
    this.#port = Number(line)
  }

  /** The bucket is away. */
  async down(): Promise<void> {
    const child = this.#process
    this.#process = undefined
    if (child === undefined || child.exitCode !== null) return
    const ended = once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }

  async destroy(): Promise<void> {
    await this.down()
    await rm(this.folder, { recursive: true, force: true })
  }
}
