/** Two daemons on two hosts, and the link between them. */
import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inject } from 'vitest'
import { systemClock } from '../../../base/index.ts'
import { initHome } from '../../../node/index.ts'
import { type Host, LinkedHosts, type LinkSettings } from '../../../testnet/index.ts'
import { TestDaemon } from '../../daemon/support.ts'

const PORT = 4747
/** A lost connection is noticed in a fifth of the usual time, so that tests can be a fifth as long. */
const SETTINGS: Record<string, string> = { 'quic.maxIdleTimeout': '2s', 'quic.keepAliveInterval': '500ms' }

export class LinkedNodes {
  readonly hosts: LinkedHosts
  readonly source: TestDaemon
  readonly sink: TestDaemon
  readonly #folder: string

  /** The source on the left, the sink on the right; the sink stays connected to the source. */
  static async create(link: Partial<LinkSettings>, set: Record<string, string> = {}): Promise<LinkedNodes> {
    const hosts = await LinkedHosts.create(link)
    const folder = await mkdtemp(join(tmpdir(), 'catalog-link-'))
    const started: TestDaemon[] = []
    try {
      const source = await startDaemon(hosts.left, join(folder, 'source'), [], set)
      started.push(source)
      const address = `/ip4/${hosts.left.address}/udp/${PORT}/quic-v1/p2p/${source.peerId}`
      const sink = await startDaemon(hosts.right, join(folder, 'sink'), ['--bootstrap', address], set)
      started.push(sink)
      return new LinkedNodes(hosts, source, sink, folder)
    } catch (error) {
      await removeAll(started, hosts, folder)
      throw error
    }
  }

  private constructor(hosts: LinkedHosts, source: TestDaemon, sink: TestDaemon, folder: string) {
    this.hosts = hosts
    this.source = source
    this.sink = sink
    this.#folder = folder
  }

  async remove(): Promise<void> {
    await removeAll([this.sink, this.source], this.hosts, this.#folder)
  }
}

async function removeAll(daemons: TestDaemon[], hosts: LinkedHosts, folder: string): Promise<void> {
  await Promise.all(daemons.map(daemon => daemon.kill()))
  await hosts.remove()
  await rm(folder, { recursive: true, force: true })
}

async function startDaemon(
  host: Host,
  root: string,
  args: string[],
  set: Record<string, string>
): Promise<TestDaemon> {
  const { home } = await initHome({ clock: systemClock }, { root })
  const [command, ...before] = host.command
  const listen = `/ip4/0.0.0.0/udp/${PORT}/quic-v1`
  const argv = [
    inject('program'),
    'daemon',
    '--home',
    root,
    '--json',
    '--no-mdns',
    '--listen',
    listen,
    ...args
  ]
  for (const [key, value] of Object.entries({ ...SETTINGS, ...set })) argv.push('--set', `${key}=${value}`)
  const child = spawn(command!, [...before, process.execPath, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] })
  const daemon = new TestDaemon(home, child)
  await daemon.ready()
  return daemon
}
