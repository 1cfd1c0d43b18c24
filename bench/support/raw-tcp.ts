/**
 * The floor of a transfer over a link: one TCP connection of the kernel's, whose bytes are neither named, encrypted, hashed nor
 * kept. Runs as its own program at both ends: `receive` prints its port; `send HOST PORT BYTES` prints the milliseconds from
 * connecting to the receiver's word that it has all of them.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { MIB } from '../../base/index.ts'
import type { Host } from '../../testnet/index.ts'

const WRITE_BYTES = MIB

/** Milliseconds that so many bytes take. */
export const measureRawTcp = async (from: Host, to: Host, sizeBytes: number): Promise<number> => {
  const receiver = run(to, 'receive')
  try {
    const [port] = (await once(createInterface({ input: receiver.stdout! }), 'line')) as [string]
    const sender = run(from, 'send', to.address, port, String(sizeBytes))
    return Number(await text(sender.stdout!))
  } finally {
    receiver.kill('SIGKILL')
  }
}

const run = (host: Host, ...args: string[]) => {
  const [command, ...before] = host.command
  return spawn(command!, [...before, process.execPath, fileURLToPath(import.meta.url), ...args], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
}

const receive = (): void => {
  const server = createServer({ allowHalfOpen: true }, socket => {
    socket.resume()
    socket.on('end', () => socket.end('done'))
  })
  server.listen(0, '0.0.0.0', () => console.log((server.address() as { port: number }).port))
}

const send = async (host: string, port: number, sizeBytes: number): Promise<void> => {
  const began = performance.now()
  const socket = connect({ host, port })
  const bytes = Buffer.alloc(WRITE_BYTES)
  for (let sent = 0; sent < sizeBytes; sent += WRITE_BYTES)
    if (!socket.write(bytes.subarray(0, Math.min(WRITE_BYTES, sizeBytes - sent)))) await once(socket, 'drain')
  socket.end()
  await once(socket, 'data')
  console.log(performance.now() - began)
}

const [role, host, port, size] = process.argv.slice(2)
if (role === 'receive') receive()
if (role === 'send') await send(host!, Number(port), Number(size))
