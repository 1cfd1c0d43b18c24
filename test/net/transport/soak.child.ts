import { type ChildProcess, fork } from 'node:child_process'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { pull } from '../../../protocols/quic/index.ts'
import { firstMessage } from './first-message.ts'
import { quicNode } from './node.ts'

/**
 * Connects, transfers and breaks things `argv[2]` times. Tells how each kind of round ended, what was left over, and its RSS
 * after a fifth of the rounds and at the end.
 */
const rounds = Number(process.argv[2])
const TOTAL_BYTES = 4_000_000
const IDLE_MS = 1500
const LIMIT_MS = 20_000
const failures: string[] = []
process.on('unhandledRejection', error => failures.push(`unhandled: ${String(error)}`))
process.on('uncaughtException', error => {
  console.error(error)
  process.exit(2)
})

const COMMON = [
  'complete',
  'reset',
  'abort connection',
  'close connection',
  'abort here',
  'abort all here',
  'leave'
]
/** Cost a process each, and a kill an idle time-out. */
const RARE = ['kill', 'stop']
const RARE_EVERY = 25

const node = await quicNode({ maxIdleTimeoutMs: IDLE_MS })
/** The server's compiled form lies beside this file's. */
async function startServer(): Promise<{ child: ChildProcess; first: string }> {
  const file = new URL('./soak-server.child.mjs', import.meta.url)
  const child = fork(file, [String(TOTAL_BYTES), String(IDLE_MS)], { execArgv: [] })
  return { child, first: await firstMessage<string>(child) }
}
let server = await startServer()
let spare = startServer()
const outcomes: Record<string, number> = {}
const rssBytes: number[] = []

/** Sends the request on a new stream. */
async function request(kind: string): Promise<{ connection: Connection; stream: Stream }> {
  const connection = await node.dial(multiaddr(server.first), { signal: AbortSignal.timeout(LIMIT_MS) })
  const stream = await connection.newStream('/soak/1', { signal: AbortSignal.timeout(LIMIT_MS) })
  stream.send(Buffer.from(kind))
  return { connection, stream }
}

async function playRound(kind: string): Promise<string> {
  // The connection of the round before may be found still open; the try that finds it dead takes it out of the way.
  const { connection, stream } = await request(kind).catch(first =>
    request(kind).catch(second => {
      throw new AggregateError([first, second], `no stream for '${kind}' at the second try either`)
    })
  )
  let bytes = 0
  try {
    for await (const part of pull(stream, { signal: AbortSignal.timeout(LIMIT_MS) })) {
      const before = bytes
      bytes += part.byteLength
      if (before >= TOTAL_BYTES / 4 || bytes < TOTAL_BYTES / 4) continue
      if (kind === 'kill') server.child.kill('SIGKILL')
      if (kind === 'abort here') stream.abort(new Error('abort here'))
      if (kind === 'abort all here') connection.abort(new Error('abort all here'))
      if (kind === 'leave') break
    }
  } catch (error) {
    const name = error instanceof Error ? error.name : ''
    if (name === 'ConnectionClosedError' && connection.status === 'open')
      failures.push(`${kind}: a lost connection was still open when its stream told of it`)
    return name === 'TimeoutError' ? 'hung' : 'error'
  }
  if (bytes === TOTAL_BYTES) {
    stream.close().catch(() => {})
    return 'complete'
  }
  stream.abort(new Error('done'))
  return kind === 'leave' ? 'left' : 'TRUNCATED'
}

for (let round = 0; round < rounds; round++) {
  const isRare = round % RARE_EVERY === RARE_EVERY - 1
  const kind =
    (isRare ? RARE[Math.floor(round / RARE_EVERY) % RARE.length] : COMMON[round % COMMON.length]) ?? ''
  const outcome = `${kind}: ${await playRound(kind)}`
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1
  if (isRare) {
    server = await spare
    spare = startServer()
    for (const connection of node.getConnections()) connection.abort(new Error('next server'))
  }
  if (round === Math.floor(rounds / 5)) {
    globalThis.gc?.()
    rssBytes.push(process.memoryUsage.rss())
  }
}
server.child.once('exit', code => code === 2 && failures.push('unhandled rejection in the server'))
await node.stop()
globalThis.gc?.()
rssBytes.push(process.memoryUsage.rss())
server.child.kill()
;(await spare).child.kill()
process.send?.({ outcomes, failures, rssBytes, connections: node.getConnections().length }, () =>
  process.exit(0)
)
