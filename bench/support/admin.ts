/** The few calls of the admin API that benchmarks time without the start of a command-line process in them. */
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { MIB } from '../../base/index.ts'

/** How long one long-poll of an operation waits at the daemon. */
const POLL_MS = 5000
/** The end of an answer, with its trailer. */
const END_BYTES = 1024

interface Operation {
  id: string
  state: 'running' | 'done' | 'failed' | 'cancelled'
  result?: unknown
  error?: { code: string; message: string }
}

export class AdminApi {
  readonly #socketPath: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 })

  constructor(home: string) {
    this.#socketPath = join(home, 'admin.sock')
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    return JSON.parse(await this.text(path, method, body))
  }

  /** The answer as it came. */
  text(path: string, method = 'GET', body?: unknown): Promise<string> {
    return new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': 'application/json' }
      const call = request(
        { socketPath: this.#socketPath, agent: this.#agent, method, path, headers },
        response => {
          const parts: Buffer[] = []
          response.on('data', part => parts.push(part))
          response.on('error', reject)
          response.on('end', () => {
            const text = Buffer.concat(parts).toString()
            if ((response.statusCode ?? 500) >= 400) reject(new Error(`${method} ${path}: ${text}`))
            else resolve(text)
          })
        }
      )
      call.on('error', reject)
      call.end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /**
   * Reads an answer without keeping it. Throws unless its last word is that all of it is right. Into the same memory each time and without
   * taking the answer apart: Node's HTTP client takes more CPU for that than the daemon for the answer.
   */
  drain(path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      let end = ''
      const buffer = Buffer.allocUnsafeSlow(MIB)
      const callback = (length: number): boolean => {
        end = (end + buffer.toString('latin1', Math.max(0, length - END_BYTES), length)).slice(-END_BYTES)
        return true
      }
      const socket = connect({ path: this.#socketPath, onread: { buffer, callback } })
      socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`)
      socket.on('error', reject)
      socket.on('close', () => {
        if (/^x-catalog-status: ok\r$/im.test(end)) resolve()
        else reject(new Error(`GET ${path}: not whole, ${end}`))
      })
    })
  }

  /** Starts long work and waits for its result. */
  async operate<T>(path: string, body: unknown): Promise<T> {
    let operation = (await this.call<{ operation: Operation }>('POST', path, body)).operation
    while (operation.state === 'running') {
      const answer = await this.call<Operation | { operation: Operation }>(
        'GET',
        `/v1/operations/${operation.id}?wait=${POLL_MS}`
      )
      operation = 'operation' in answer ? answer.operation : answer
    }
    if (operation.state !== 'done')
      throw new Error(`${path}: ${JSON.stringify(operation.error ?? operation.state)}`)
    return operation.result as T
  }

  close(): void {
    this.#agent.destroy()
  }
}
