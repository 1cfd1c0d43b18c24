/** The few calls of the admin API that benchmarks time without the start of a command-line process in them. */
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { freeMemory } from '../../base/index.ts'

/** How long one long-poll of an operation waits at the daemon. */
const POLL_MS = 5000

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

  /** Reads an answer without keeping it; resolves to its bytes. Throws unless its last word is that all of it is right. */
  drain(path: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socketPath, agent: this.#agent, path }, response => {
        let bytes = 0
        response.on('data', part => {
          bytes += part.length
          freeMemory(part)
        })
        response.on('error', reject)
        response.on('end', () => {
          if (response.trailers['x-catalog-status'] === 'ok') resolve(bytes)
          else reject(new Error(`GET ${path}: ${response.statusCode}, not whole`))
        })
      })
      call.on('error', reject)
      call.end()
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
