/**
 * Hosts in several regions: in each a router, and every host behind it in a namespace of its own; between each two routers a link with the delay
 * of that distance, which can be made slow, lossy, or cut.
 */
import { Link, type LinkSettings } from '../../testnet/index.ts'
import { Namespaces } from './namespaces.ts'

export interface RegionPlan {
  /** Hosts by region. */
  readonly regions: Readonly<Record<string, readonly string[]>>
  /** One way in milliseconds, for each two regions: `'eu us': 40`. */
  readonly delaysMs: Readonly<Record<string, number>>
}

export interface RegionHost {
  readonly name: string
  readonly region: string
  readonly namespace: string
  readonly address: string
}

export class Regions {
  readonly hosts: RegionHost[] = []
  readonly #namespaces = new Namespaces()
  readonly #links = new Map<string, Link>()

  static async create({ regions, delaysMs }: RegionPlan): Promise<Regions> {
    const made = new Regions()
    try {
      await made.#build(regions, delaysMs)
      return made
    } catch (error) {
      await made.destroy()
      throw error
    }
  }

  /** Changes the link between two regions. */
  set(one: string, other: string, settings: Partial<LinkSettings>): Promise<void> {
    return this.#link(one, other).set(settings)
  }

  /** A region reaches no other one any more. */
  async cutOff(region: string): Promise<void> {
    await Promise.all(this.#linksOf(region).map(link => link.cut()))
  }

  async restore(region: string): Promise<void> {
    await Promise.all(this.#linksOf(region).map(link => link.restore()))
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#links.values()].map(link => link.close()))
    this.#namespaces.destroy()
  }

  async #build(regions: RegionPlan['regions'], delaysMs: RegionPlan['delaysMs']): Promise<void> {
    const names = Object.keys(regions)
    const routers = names.map((region, at) => this.#region(region, 20 + at, regions[region]!))
    let number = 0
    for (const [pair, delayMs] of Object.entries(delaysMs)) {
      const [one, other] = pair.split(' ').map(name => names.indexOf(name)) as [number, number]
      await this.#connect(pair, [routers[one]!, routers[other]!], [20 + one, 20 + other], number++)
      await this.#links.get(pair)!.set({ delayMs })
    }
  }

  /** The router of a region, with its hosts behind it. */
  #region(region: string, network: number, hosts: readonly string[]): string {
    const router = this.#namespaces.add(`${region}r`)
    this.#namespaces.route(router)
    for (const [at, name] of hosts.entries()) {
      const cable = `10.${network}.${at}`
      const namespace = this.#namespaces.add(name)
      this.#namespaces.link(namespace, `${cable}.2/24`, router, `${cable}.1/24`)
      this.#namespaces.in(namespace, `ip route add default via ${cable}.1`)
      this.hosts.push({ name, region, namespace, address: `${cable}.2` })
    }
    return router
  }

  async #connect(
    pair: string,
    [left, right]: readonly [string, string],
    [one, other]: readonly [number, number],
    number: number
  ): Promise<void> {
    const device = `link${number}`
    this.#links.set(pair, await Link.open({ left, right, device }, number + 1))
    for (const [router, end, away] of [[left, 1, other] as const, [right, 2, one] as const]) {
      this.#namespaces.in(router, `ip address add 10.78.${number}.${end}/24 dev ${device}`)
      this.#namespaces.in(router, `ip link set ${device} up`)
      this.#namespaces.in(router, `ip route add 10.${away}.0.0/16 via 10.78.${number}.${3 - end}`)
    }
  }

  #link(one: string, other: string): Link {
    const link = this.#links.get(`${one} ${other}`) ?? this.#links.get(`${other} ${one}`)
    if (link === undefined) throw new Error(`there is no link between ${one} and ${other}`)
    return link
  }

  #linksOf(region: string): Link[] {
    return [...this.#links].filter(([pair]) => pair.split(' ').includes(region)).map(([, link]) => link)
  }
}
