/** A home, the daemon that runs on it, stops, is killed and started again on the same port, and its command line. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '../../../base/index.ts'
import { type HomeLayout, initHome } from '../../../node/index.ts'
import { TestDaemon } from '../../daemon/support.ts'
import { type Command, type CommandEnd, runCommand, spawnDaemon } from './program.ts'

/** A peer that was killed is noticed soon; the defaults are for the Internet. */
const SETTINGS: Record<string, string> = { 'quic.maxIdleTimeout': '2s', 'quic.keepAliveInterval': '500ms' }

export class TestNode {
  readonly home: HomeLayout
  readonly #port: number
  #daemon: TestDaemon | undefined

  /** The folder must not hold a home yet. */
  static async create(root: string): Promise<TestNode> {
    const { home } = await initHome({ clock: systemClock }, { root })
    return new TestNode(home, await freePort())
  }

  private constructor(home: HomeLayout, port: number) {
    this.home = home
    this.#port = port
  }

  /** The daemon that runs, or ran last. */
  get daemon(): TestDaemon {
    if (this.#daemon === undefined) throw new Error('this node was never started')
    return this.#daemon
  }

  /** Starts the daemon; resolves with the time from the start of the process to its ready line, in milliseconds. */
  async start(settings: Record<string, string> = {}): Promise<number> {
    const startedMs = performance.now()
    const address = `/ip4/127.0.0.1/udp/${this.#port}/quic-v1`
    const args = ['--home', this.home.root, '--no-mdns', '--listen', address]
    for (const [key, value] of Object.entries({ ...SETTINGS, ...settings }))
      args.push('--set', `${key}=${value}`)
    this.#daemon = new TestDaemon(this.home, spawnDaemon(args))
    await this.#daemon.ready()
    return performance.now() - startedMs
  }

  /** kill -9, and the end of the process. */
  async kill(): Promise<void> {
    await this.#daemon?.kill()
  }

  /** Ends the worker thread, if one runs. The daemon stays. */
  killWorker(): void {
    this.daemon.process.kill('SIGUSR2')
  }

  async connectTo(other: TestNode): Promise<void> {
    await this.daemon.ok('POST', '/v1/peers', { address: other.daemon.address })
  }

  command(...args: string[]): Command {
    return runCommand([...args, '--home', this.home.root])
  }

  /** A command from its beginning to its end. */
  run(...args: string[]): Promise<CommandEnd> {
    return this.command(...args).ended
  }

  /** Everything the daemon's metrics say, by name with labels. */
  async metrics(): Promise<Map<string, number>> {
    const text = (await this.daemon.api('GET', '/metrics')).bytes.toString()
    const lines = text.split('\n').filter(line => line !== '' && !line.startsWith('#'))
    return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
  }
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  socket.close()
  return port
}
