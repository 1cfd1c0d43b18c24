/** A network in containers: its nodes, and what the links between its regions are like. */
import { renameSync, writeFileSync } from 'node:fs'
import type { LinkSettings } from '../../links/settings.ts'
import { type NetworkPlan, type NodePlan, neighboursOf, plannedLink } from '../../network/plan.ts'
import { daemonArguments, listenAddress } from '../daemon-arguments.ts'
import { nodeIn, type RunningNetwork, type RunningNode, unsupported } from '../driver.ts'
import { composeFile } from './compose-file.ts'
import { end, insideNetworkOf, processOf, run, runCompose } from './engine.ts'
import { containerOf, ipOf, type MadeLink, type MadeStore, pathsOf } from './made.ts'
import { ComposeNode } from './node.ts'
import { filterRules, queueCommands, REMOVE_QUEUES, type Way } from './traffic.ts'

export class ComposeNetwork implements RunningNetwork {
  readonly driver = 'compose'
  readonly plan: NetworkPlan
  readonly folder: string
  readonly nodes: readonly RunningNode[]
  readonly #store: MadeStore

  constructor(plan: NetworkPlan, store: MadeStore) {
    this.plan = plan
    this.folder = store.folder
    this.#store = store
    this.nodes = plan.nodes.map(
      node =>
        new ComposeNode(node, {
          store,
          address: listenAddress(ipOf(plan, store.made, node.name)),
          create: signal => this.create(signal, node.name),
          shape: () => this.#shape(node)
        })
    )
  }

  node(name: string): RunningNode {
    return nodeIn(this.nodes, name)
  }

  /** Makes the network and the containers of all nodes or of one, without starting any. Those that are as they should be stay. */
  async create(signal: AbortSignal, ...names: string[]): Promise<void> {
    const { made } = this.#store
    const file = pathsOf(this.folder).composeFile
    const content = composeFile(this.plan, made, {
      folder: this.folder,
      argumentsOf: node => daemonArguments(node, name => this.node(name))
    })
    writeFileSync(`${file}.new`, JSON.stringify(content, undefined, 2))
    renameSync(`${file}.new`, file)
    const { project } = made
    await runCompose({ project, file }, ['up', '--no-start', '--no-deps', '--no-build', ...names], signal)
  }

  async setLink(one: string, other: string, settings: Partial<LinkSettings>): Promise<void> {
    const { delayMs = 0, reorderPercent = 0 } = settings
    const { whyNoDelay } = this.#store.made
    if (reorderPercent > 0) throw unsupported('compose', 'reorder packets')
    // What is planned is left out here from the beginning, and may be asked for when a fault is taken back.
    const isPlanned = delayMs === plannedLink(this.plan, one, other).delayMs
    if (whyNoDelay !== undefined && delayMs > 0 && !isPlanned)
      throw unsupported('compose', `delay packets: this kernel has no netem (${whyNoDelay})`)
    const possible = whyNoDelay === undefined ? settings : { ...settings, delayMs: 0 }
    await this.#changeLink(one, other, link => ({ ...link, settings: { ...link.settings, ...possible } }))
  }

  cut(one: string, other: string): Promise<void> {
    return this.#changeLink(one, other, link => ({ ...link, isCut: true }))
  }

  restore(one: string, other: string): Promise<void> {
    return this.#changeLink(one, other, link => ({ ...link, isCut: false }))
  }

  async close(): Promise<void> {
    // Nothing is held: each question is a process of its own.
  }

  async #changeLink(one: string, other: string, change: (link: MadeLink) => MadeLink): Promise<void> {
    const before = this.#linkOf(one, other)
    const key = this.#keyOf(one, other)
    const set = (link: MadeLink): void =>
      this.#store.change(({ links }) => ({ links: { ...links, [key]: link } }))
    set(change(before))
    try {
      await this.#shapeAll([one, other])
    } catch (error) {
      set(before)
      await this.#shapeAll([one, other])
      throw error
    }
  }

  async #shapeAll(regions: readonly string[]): Promise<void> {
    const there = this.plan.nodes.filter(({ region }) => regions.includes(region))
    await Promise.all(there.map(node => this.#shape(node)))
  }

  /** Makes the packets of a node go as its links are now. Of one that is stopped there are none. */
  async #shape({ name, region }: NodePlan): Promise<void> {
    const { made } = this.#store
    const pid = await processOf(containerOf(made, name))
    if (pid === 0) return
    const ways = neighboursOf(this.plan, region).map(other => this.#wayOf(region, other))
    const inside = insideNetworkOf(pid)
    await run([...inside, 'nft', '-f', '-'], { input: filterRules(ways) })
    // An error when there are none, which is as well.
    await end([...inside, 'tc', '-batch', '-'], { input: REMOVE_QUEUES })
    await run([...inside, 'tc', '-batch', '-'], { input: queueCommands(ways) })
  }

  #wayOf(region: string, other: string): Way {
    const { made } = this.#store
    const there = this.plan.nodes.filter(node => node.region === other)
    return {
      ...this.#linkOf(region, other),
      addresses: there.map(({ name }) => ipOf(this.plan, made, name))
    }
  }

  #linkOf(one: string, other: string): MadeLink {
    const { links, whyNoDelay } = this.#store.made
    const settings = plannedLink(this.plan, one, other)
    const planned = whyNoDelay === undefined ? settings : { ...settings, delayMs: 0 }
    return links[this.#keyOf(one, other)] ?? { settings: planned, isCut: false }
  }

  #keyOf(one: string, other: string): string {
    return `${one} ${other}` in this.plan.delaysMs ? `${one} ${other}` : `${other} ${one}`
  }
}
