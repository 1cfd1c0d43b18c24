import { Link } from './link.ts'
import { DEVICE, type Host, Namespace } from './namespace.ts'
import type { LinkCounts, LinkSettings } from './settings.ts'

/** Of a private range that is rarely in use; namespaces do not see the machine's own networks anyway. */
const LEFT_ADDRESS = '10.78.0.1'
const RIGHT_ADDRESS = '10.78.0.2'

/**
 * Two hosts and the link between them.
 *
 *     const hosts = await LinkedHosts.create({ delayMs: 75, lossPercent: 1 })
 *     spawn('ip', [...hosts.left.command.slice(1), 'ping', hosts.right.address])
 *     await hosts.set({ rateMbit: 10 })
 *     await hosts.remove()                  // in a finally block or an afterEach
 *
 * A process that ends without `remove` takes its link along; its namespaces are removed at its exit, or by the next `create`
 * when it was killed.
 */
export class LinkedHosts {
  readonly #left: Namespace
  readonly #right: Namespace
  readonly #link: Link
  readonly #onExit = (): void => this.#removeNamespaces()

  /** `seed` says which packets are lost or late. */
  static async create(settings: Partial<LinkSettings> = {}, seed = 1): Promise<LinkedHosts> {
    const left = Namespace.create('left', LEFT_ADDRESS)
    let right: Namespace | undefined
    let link: Link | undefined
    try {
      right = Namespace.create('right', RIGHT_ADDRESS)
      link = await Link.open({ left: left.name, right: right.name, device: DEVICE }, seed)
      const hosts = new LinkedHosts(left, right, link)
      left.bringUp()
      right.bringUp()
      await link.set(settings)
      return hosts
    } catch (error) {
      await link?.close()
      right?.remove()
      left.remove()
      throw error
    }
  }

  private constructor(left: Namespace, right: Namespace, link: Link) {
    this.#left = left
    this.#right = right
    this.#link = link
    process.once('exit', this.#onExit)
  }

  get left(): Host {
    return this.#left
  }

  get right(): Host {
    return this.#right
  }

  /** Changes the link for every packet that comes from now on; what is not given stays. */
  set(settings: Partial<LinkSettings>): Promise<void> {
    return this.#link.set(settings)
  }

  /** Nothing passes any more; packets under way are lost too. */
  cut(): Promise<void> {
    return this.#link.cut()
  }

  restore(): Promise<void> {
    return this.#link.restore()
  }

  /** From left to right, and from right to left. */
  counts(): Promise<[LinkCounts, LinkCounts]> {
    return this.#link.counts()
  }

  /** Processes that still run there lose their network. */
  async remove(): Promise<void> {
    process.off('exit', this.#onExit)
    await this.#link.close()
    this.#removeNamespaces()
  }

  #removeNamespaces(): void {
    this.#left.remove()
    this.#right.remove()
  }
}
