/** Networks in namespaces of this machine: no container engine, and every daemon a process that a debugger or a profiler can look at. */
import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { publicKeyFromRaw } from '@libp2p/crypto/keys'
import { peerIdFromPublicKey } from '@libp2p/peer-id'
import { systemClock } from '../../../base/index.ts'
import { initHome } from '../../../node/index.ts'
import { whyNoLink } from '../../links/compile.ts'
import type { LinkSettings } from '../../links/settings.ts'
import type { NetworkPlan } from '../../network/plan.ts'
import { wavesOf } from '../../network/start-order.ts'
import { endProcess, findProcess } from '../../process-id.ts'
import { type Driver, nodeIn, type RunningNetwork, type RunningNode } from '../driver.ts'
import { mountsBelow, SmallDisk, unmount } from '../small-disk.ts'
import { startInWaves } from '../start.ts'
import { newFolder, readState, StateStore } from '../state.ts'
import { type Made, type MadeNode, type MadeStore, pathsOf, regionPlanOf } from './made.ts'
import { NetnsNode } from './node.ts'
import { Regions } from './regions.ts'

export const netnsDriver: Driver = {
  name: 'netns',

  whyNot: whyNoLink,

  async up(plan, { folder: given, program }, signal) {
    const folder = newFolder(given)
    const waves = wavesOf(plan.nodes)
    const store = new StateStore<Made>(folder)
    const prefix = `ct${randomBytes(3).toString('hex')}-`
    store.write({ driver: 'netns', plan, createdAt: new Date().toISOString(), made: { prefix, nodes: {} } })
    let regions: Regions | undefined
    try {
      const { links } = pathsOf(folder)
      mkdirSync(links)
      regions = await Regions.create(regionPlanOf(plan), { prefix, linkFolder: links })
      await makeHomes(store, plan, program)
      const network = new NetnsNetwork(plan, store, regions)
      await startInWaves(network, waves, signal)
      return network
    } catch (error) {
      regions?.release()
      await netnsDriver.down(folder)
      throw error
    }
  },

  attach(given) {
    const folder = resolve(given)
    const state = readState(folder)
    if (state?.driver !== 'netns') return undefined
    const { plan } = state
    const { prefix } = state.made as Made
    const regions = Regions.attach(regionPlanOf(plan), { prefix, linkFolder: pathsOf(folder).links })
    return new NetnsNetwork(plan, new StateStore<Made>(folder), regions)
  },

  async down(given) {
    const folder = resolve(given)
    const state = readState(folder)
    if (state?.driver !== 'netns') return
    const { prefix } = state.made as Made
    const regions = Regions.attach(regionPlanOf(state.plan), { prefix, linkFolder: pathsOf(folder).links })
    const running = regions.pids().flatMap(pid => findProcess(pid) ?? [])
    await Promise.all(running.map(endProcess))
    await regions.destroy()
    for (const disk of mountsBelow(folder)) unmount(disk)
    await rm(folder, { recursive: true, force: true })
  }
}

/** All homes before the first start: who follows a node needs its peer id, whichever of them starts first. */
async function makeHomes(store: MadeStore, plan: NetworkPlan, program: string): Promise<void> {
  const made: Record<string, MadeNode> = {}
  for (const { name, limits } of plan.nodes) {
    const paths = pathsOf(store.folder).node(name)
    if (limits.diskBytes === undefined) mkdirSync(paths.disk, { recursive: true })
    else SmallDisk.mount(paths.disk, limits.diskBytes)
    const { nodePublicKey } = await initHome({ clock: systemClock }, { root: paths.home })
    made[name] = { peerId: peerIdFromPublicKey(publicKeyFromRaw(nodePublicKey)).toString(), program }
  }
  store.change(() => ({ nodes: made }))
}

class NetnsNetwork implements RunningNetwork {
  readonly driver = 'netns'
  readonly plan: NetworkPlan
  readonly folder: string
  readonly nodes: readonly RunningNode[]
  readonly #regions: Regions

  constructor(plan: NetworkPlan, store: MadeStore, regions: Regions) {
    this.plan = plan
    this.folder = store.folder
    this.#regions = regions
    this.nodes = plan.nodes.map(
      node =>
        new NetnsNode(node, {
          store,
          host: regions.hosts.find(({ name }) => name === node.name)!,
          nodeOf: name => this.node(name)
        })
    )
  }

  node(name: string): RunningNode {
    return nodeIn(this.nodes, name)
  }

  setLink(one: string, other: string, settings: Partial<LinkSettings>): Promise<void> {
    return this.#regions.set(one, other, settings)
  }

  cut(one: string, other: string): Promise<void> {
    return this.#regions.cut(one, other)
  }

  restore(one: string, other: string): Promise<void> {
    return this.#regions.mend(one, other)
  }

  async close(): Promise<void> {
    this.#regions.release()
  }
}
