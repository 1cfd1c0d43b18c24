/**
 * Hosts in several regions: in each a router, and every host behind it in a namespace of its own; between each two routers a link with the delay
 * of that distance, which can be made slow, lossy, or cut.
 */
import { CatalogError } from '../../../base/index.ts'
import { Link } from '../../links/link.ts'
import { type LinkSettings, PLAIN_LINK } from '../../links/settings.ts'
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

export interface RegionOptions {
  /** Before the names of all namespaces; given none, one of this process. */
  readonly prefix?: string
  /** Links outlive this process, and others reach them through this folder (`Link`). */
  readonly linkFolder?: string
}

export class Regions {
  readonly hosts: readonly RegionHost[]
  readonly #plan: RegionPlan
  readonly #namespaces: Namespaces
  readonly #linkFolder: string | undefined
  readonly #links = new Map<string, Link>()

  static async create(plan: RegionPlan, options: RegionOptions = {}): Promise<Regions> {
    const made = new Regions(plan, options)
    try {
      await made.#build()
      return made
    } catch (error) {
      await made.destroy()
      throw error
    }
  }

  /** Those that another process has made, with the same options. */
  static attach(plan: RegionPlan, options: Required<RegionOptions>): Regions {
    return new Regions(plan, options)
  }

  private constructor(plan: RegionPlan, { prefix, linkFolder }: RegionOptions) {
    this.#plan = plan
    this.#namespaces = new Namespaces(prefix)
    this.#linkFolder = linkFolder
    this.hosts = Object.entries(plan.regions).flatMap(([region, names], number) =>
      names.map((name, at) => {
        const address = `${cableOf(number, at)}.2`
        return { name, region, namespace: this.#namespaces.fullName(name), address }
      })
    )
  }

  /** Changes the link between two regions. */
  async set(one: string, other: string, settings: Partial<LinkSettings>): Promise<void> {
    await this.#link(this.#pair(one, other)).set(settings)
  }

  async cut(one: string, other: string): Promise<void> {
    await this.#link(this.#pair(one, other)).cut()
  }

  /** Lets pass again what `cut` has cut. */
  async mend(one: string, other: string): Promise<void> {
    await this.#link(this.#pair(one, other)).restore()
  }

  /** A region reaches no other one any more. */
  async cutOff(region: string): Promise<void> {
    await Promise.all(this.#pairsOf(region).map(pair => this.#link(pair).cut()))
  }

  async restore(region: string): Promise<void> {
    await Promise.all(this.#pairsOf(region).map(pair => this.#link(pair).restore()))
  }

  /** Processes that run in them. */
  pids(): number[] {
    return this.#namespaces.pids()
  }

  /** Lets go of links that outlive this process. */
  release(): void {
    for (const link of this.#links.values()) link.release()
    this.#links.clear()
  }

  async destroy(): Promise<void> {
    if (this.#linkFolder !== undefined) await Link.closeAll(this.#linkFolder)
    else await Promise.all([...this.#links.values()].map(link => link.close()))
    this.release()
    this.#namespaces.destroy()
  }

  async #build(): Promise<void> {
    const { regions, delaysMs } = this.#plan
    const names = Object.keys(regions)
    const routers = names.map((region, number) => this.#region(region, number))
    for (const [number, pair] of Object.keys(delaysMs).entries()) {
      const [one, other] = pair.split(' ').map(name => names.indexOf(name)) as [number, number]
      await this.#connect(pair, [routers[one]!, routers[other]!], [one, other], number)
    }
  }

  /** The router of a region, with its hosts behind it. */
  #region(region: string, number: number): string {
    const router = this.#namespaces.add(`${region}r`)
    this.#namespaces.route(router)
    for (const [at, name] of this.#plan.regions[region]!.entries()) {
      const cable = cableOf(number, at)
      const namespace = this.#namespaces.add(name)
      this.#namespaces.link(namespace, `${cable}.2/24`, router, `${cable}.1/24`)
      this.#namespaces.in(namespace, `ip route add default via ${cable}.1`)
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
    const ends = { left, right, device }
    const link =
      this.#linkFolder === undefined
        ? await Link.open(ends, number + 1)
        : await Link.openDetached(ends, number + 1, this.#linkFolder)
    this.#links.set(pair, link)
    for (const [router, end, away] of [[left, 1, other] as const, [right, 2, one] as const]) {
      this.#namespaces.in(router, `ip address add 10.78.${number}.${end}/24 dev ${device}`)
      this.#namespaces.in(router, `ip link set ${device} up`)
      this.#namespaces.in(router, `ip route add ${networkOf(away)}.0.0/16 via 10.78.${number}.${3 - end}`)
    }
    await link.set({ delayMs: this.#plan.delaysMs[pair]! })
  }

  #pair(one: string, other: string): string {
    const pair = [`${one} ${other}`, `${other} ${one}`].find(name => name in this.#plan.delaysMs)
    if (pair === undefined) throw new CatalogError('NOT_FOUND', `no link joins ${one} and ${other}`)
    return pair
  }

  #link(pair: string): Link {
    const known = this.#links.get(pair)
    if (known !== undefined) return known
    const number = Object.keys(this.#plan.delaysMs).indexOf(pair)
    const settings = { ...PLAIN_LINK, delayMs: this.#plan.delaysMs[pair]! }
    const link = Link.attach(this.#linkFolder!, `link${number}`, settings)
    this.#links.set(pair, link)
    return link
  }

  #pairsOf(region: string): string[] {
    return Object.keys(this.#plan.delaysMs).filter(pair => pair.split(' ').includes(region))
  }
}

/** The first two bytes of the addresses of a region, and the first three of those on the cable of one of its hosts. */
const networkOf = (region: number): string => `10.${20 + region}`
const cableOf = (region: number, host: number): string => `${networkOf(region)}.${host}`
