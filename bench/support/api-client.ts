/**
 * The client of the benchmark of the admin API, in a process of its own: one request at a time on each of its connections, read by their
 * length alone. Node's own client takes more CPU for a request than the daemon, and would be what is measured.
 */
import { connect } from 'node:net'
import { percentile } from '../../base/index.ts'

export interface ApiLoad {
  socketPath: string
  /** Asked one after the other, from the first one again after the last. */
  paths: string[]
  connections: number
  /** After each path was asked once. */
  warmUpMs: number
  durationMs: number
}

export interface ApiLoadResult {
  operations: number
  /** Answers with a status of 400 or above, and connections that broke. */
  errors: number
  tookMs: number
  bytes: number
  cpuMs: number
  p50Ms: number
  p95Ms: number
  p99Ms: number
}

const HEAD_END = '\r\n\r\n'
const STATUS_AT = 'HTTP/1.1 '.length

class Load {
  readonly #load: ApiLoad
  readonly #requests: Buffer[]
  #next = 0
  #isOver = false
  readonly #asked = Promise.withResolvers<void>()
  /** Resolves when each path has been asked. */
  readonly asked = this.#asked.promise
  tookMs: number[] = []
  errors = 0
  bytes = 0

  constructor(load: ApiLoad) {
    this.#load = load
    this.#requests = load.paths.map(path => Buffer.from(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`))
  }

  /** Keeps all connections busy until it is over. */
  async run(): Promise<void> {
    const { connections } = this.#load
    await Promise.all(Array.from({ length: connections }, () => this.#keepAsking()))
  }

  end(): void {
    this.#isOver = true
  }

  /** Counts from now on. */
  reset(): void {
    this.tookMs = []
    this.errors = 0
    this.bytes = 0
  }

  #keepAsking(): Promise<void> {
    const { connections } = this.#load
    return new Promise(resolve => {
      const socket = connect(this.#load.socketPath)
      let received = Buffer.alloc(0)
      let began = 0
      const ask = (): void => {
        began = performance.now()
        socket.write(this.#requests[this.#next++ % this.#requests.length]!)
        if (this.#next === this.#requests.length + connections) this.#asked.resolve()
      }
      socket.on('connect', ask)
      socket.on('data', part => {
        received = received.byteLength === 0 ? part : Buffer.concat([received, part])
        const end = answerEnd(received)
        if (end === undefined) return
        this.#note(received, end, performance.now() - began)
        received = Buffer.alloc(0)
        if (this.#isOver) socket.end()
        else ask()
      })
      socket.on('error', () => this.errors++)
      socket.on('close', () => {
        if (!this.#isOver) this.errors++
        resolve()
      })
    })
  }

  #note(answer: Buffer, bytes: number, tookMs: number): void {
    this.bytes += bytes
    if (answer[STATUS_AT]! >= '4'.charCodeAt(0)) this.errors++
    else this.tookMs.push(tookMs)
  }
}

/** Where a whole answer ends; undefined while it has not all come. */
function answerEnd(received: Buffer): number | undefined {
  const headEnd = received.indexOf(HEAD_END)
  if (headEnd === -1) return undefined
  const head = received.toString('latin1', 0, headEnd)
  const length = /content-length: (\d+)/i.exec(head)?.[1]
  if (length === undefined) throw new Error(`an answer without its length: ${head}`)
  const end = headEnd + HEAD_END.length + Number(length)
  return received.byteLength < end ? undefined : end
}

process.once('message', async (load: ApiLoad) => {
  const under = new Load(load)
  const running = under.run()
  await under.asked
  process.send!('asked')
  await new Promise(resolve => setTimeout(resolve, load.warmUpMs))
  process.send!('warm')
  under.reset()
  const began = performance.now()
  const cpu = process.cpuUsage()
  await new Promise(resolve => setTimeout(resolve, load.durationMs))
  const { user, system } = process.cpuUsage(cpu)
  const took = performance.now() - began
  const { tookMs, errors, bytes } = under
  under.end()
  const quantile = (share: number): number => percentile(tookMs, share) ?? 0
  const result: ApiLoadResult = {
    operations: tookMs.length,
    errors,
    tookMs: took,
    bytes,
    cpuMs: (user + system) / 1000,
    p50Ms: quantile(0.5),
    p95Ms: quantile(0.95),
    p99Ms: quantile(0.99)
  }
  process.send!(result)
  await running
})
