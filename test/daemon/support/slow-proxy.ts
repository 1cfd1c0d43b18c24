/** A TCP port in front of a daemon that lets what the daemon sends through at a rate, all of its connections together. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { TestDaemon } from '../support.ts'

/** Small enough that the rate holds over any tenth of a second. */
const PIECE_BYTES = 64 * 1024

export class SlowProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  readonly #peerId: string
  readonly #bytesPerSecond: number
  #freeMs = 0

  /** `daemon` must listen on TCP. */
  static async start(daemon: TestDaemon, bytesPerSecond: number): Promise<SlowProxy> {
    const [, , , , port] = daemon.address.split('/')
    const proxy = new SlowProxy(daemon.peerId, Number(port), bytesPerSecond)
    await once(proxy.#server, 'listening')
    return proxy
  }

  private constructor(peerId: string, port: number, bytesPerSecond: number) {
    this.#peerId = peerId
    this.#bytesPerSecond = bytesPerSecond
    this.#server = createServer(client => {
      const daemon = connect(port, '127.0.0.1')
      for (const socket of [client, daemon]) this.#keep(socket)
      client.pipe(daemon)
      void this.#forward(daemon, client).catch(() => client.destroy())
    }).listen(0, '127.0.0.1')
  }

  /** What a peer dials to reach the daemon through here. */
  get address(): string {
    return `/ip4/127.0.0.1/tcp/${(this.#server.address() as AddressInfo).port}/p2p/${this.#peerId}`
  }

  stop(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
  }

  async #forward(from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>)
      for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
        const piece = chunk.subarray(at, at + PIECE_BYTES)
        const nowMs = performance.now()
        this.#freeMs = Math.max(this.#freeMs, nowMs) + (piece.byteLength / this.#bytesPerSecond) * 1000
        await delay(this.#freeMs - nowMs)
        if (!to.write(piece)) await once(to, 'drain')
      }
    to.end()
  }
}
