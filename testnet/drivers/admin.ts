/** Requests to the admin API of a node through its socket, whatever it answers: also what the command line would never ask. */
import http from 'node:http'
import { CatalogError } from '../../base/index.ts'
import type { AdminAnswer, AdminRequest } from './driver.ts'

/** Throws NO_DAEMON when nobody answers, STREAM_TRUNCATED when the answer is cut, and the signal's reason when it is aborted. */
export async function askAdmin(
  socketPath: string,
  { method, path, body, headers: more }: AdminRequest,
  signal?: AbortSignal
): Promise<AdminAnswer> {
  const isTar = body instanceof Uint8Array
  const payload = body === undefined || isTar ? body : JSON.stringify(body)
  const type = isTar ? 'application/x-tar' : 'application/json'
  const headers = { ...(payload === undefined ? {} : { 'content-type': type }), ...more }
  const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
    const options = { socketPath, method, path, headers, agent: false, ...(signal && { signal }) }
    const request = http.request(options, resolve)
    request.on('error', cause => {
      const message = `no daemon answers ${method} ${path} on ${socketPath}: ${cause.message}`
      reject(signal?.aborted === true ? signal.reason : new CatalogError('NO_DAEMON', message, { cause }))
    })
    request.end(payload)
  })
  return await readAnswer(response, signal)
}

async function readAnswer(response: http.IncomingMessage, signal?: AbortSignal): Promise<AdminAnswer> {
  const chunks: Uint8Array[] = []
  try {
    for await (const chunk of response) chunks.push(chunk as Uint8Array)
  } catch (cause) {
    if (signal?.aborted === true) throw signal.reason
    throw new CatalogError('STREAM_TRUNCATED', 'the daemon broke off its answer', { cause })
  }
  const bytes = Buffer.concat(chunks)
  const isJson = (response.headers['content-type'] ?? '').startsWith('application/json')
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    trailers: response.trailers,
    bytes,
    json: isJson ? JSON.parse(bytes.toString()) : undefined
  }
}
