/**
 * Networks in containers: each node with the image, the limits and the rights that it has where it is deployed. Links between regions are
 * made in the kernel (`traffic.ts`); delay needs netem there, and without it the delays of a plan are left out, which is said.
 */
import { randomBytes, randomInt } from 'node:crypto'
import { chownSync, existsSync, mkdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { resolve } from 'node:path'
import { CatalogError } from '../../../base/index.ts'
import type { NetworkPlan, NodePlan } from '../../network/plan.ts'
import { wavesOf } from '../../network/start-order.ts'
import type { Driver } from '../driver.ts'
import { mountsBelow, SmallDisk, unmount } from '../small-disk.ts'
import { STARTS_AT_ONCE, startInWaves } from '../start.ts'
import { newFolder, readState, StateStore } from '../state.ts'
import { ensureImage, run, runCompose, takenSubnets, whyNoEngine, whyNoFaults, whyNoNetem } from './engine.ts'
import { HOME_THERE, MAX_NODES, type Made, type MadeNode, pathsOf } from './made.ts'
import { ComposeNetwork } from './network.ts'

/** Of the user in the image. */
const USER = 4747
const SUBNET_TRIES = 100

export const composeDriver: Driver = {
  name: 'compose',

  whyNot: () => whyNoEngine() ?? whyNoFaults(),

  async up(plan, { folder: given, program }, signal) {
    const folder = newFolder(given)
    if (plan.nodes.length > MAX_NODES)
      throw new CatalogError(
        'INVALID_ARGUMENT',
        `${plan.nodes.length} nodes, and ${MAX_NODES} have an address`
      )
    const waves = wavesOf(plan.nodes)
    await ensureImage(program, signal)
    const store = new StateStore<Made>(folder)
    const made: Made = {
      project: `catalog-testnet-${randomBytes(3).toString('hex')}`,
      subnet: freeSubnet(await takenSubnets(signal)),
      ...delaysOf(plan),
      nodes: {},
      links: {}
    }
    store.write({ driver: 'compose', plan, createdAt: new Date().toISOString(), made })
    try {
      const nodes = await makeHomes(folder, plan, program, signal)
      store.change(() => ({ nodes }))
      const network = new ComposeNetwork(plan, store)
      await network.create(signal)
      await startInWaves(network, waves, signal)
      return network
    } catch (error) {
      await composeDriver.down(folder)
      throw error
    }
  },

  attach(given) {
    const folder = resolve(given)
    const state = readState(folder)
    return state?.driver === 'compose'
      ? new ComposeNetwork(state.plan, new StateStore<Made>(folder))
      : undefined
  },

  async down(given) {
    const folder = resolve(given)
    const state = readState(folder)
    if (state?.driver !== 'compose') return
    const { project } = state.made as Made
    const file = pathsOf(folder).composeFile
    if (existsSync(file)) await runCompose({ project, file }, ['down', '-v', '-t', '0', '--remove-orphans'])
    for (const disk of mountsBelow(folder)) unmount(disk)
    await rm(folder, { recursive: true, force: true })
  }
}

/** Whoever brings a network up with delays that it will not have is told. */
function delaysOf({ delaysMs }: NetworkPlan): Pick<Made, 'whyNoDelay'> {
  const whyNoDelay = whyNoNetem()
  if (whyNoDelay === undefined) return {}
  if (Object.values(delaysMs).some(delayMs => delayMs > 0))
    process.stderr.write(
      `testnet: links have no delay, because this kernel has no netem (${whyNoDelay}); --driver netns has\n`
    )
  return { whyNoDelay }
}

/** All homes before the first start: who follows a node, or joins through it, needs its peer id. */
async function makeHomes(
  folder: string,
  plan: NetworkPlan,
  image: string,
  signal: AbortSignal
): Promise<Record<string, MadeNode>> {
  const made: Record<string, MadeNode> = {}
  for (let at = 0; at < plan.nodes.length; at += STARTS_AT_ONCE) {
    const some = plan.nodes.slice(at, at + STARTS_AT_ONCE)
    const peerIds = await Promise.all(some.map(node => makeHome(folder, node, image, signal)))
    for (const [index, { name }] of some.entries()) made[name] = { peerId: peerIds[index]!, image }
  }
  return made
}

/** By the program in the image, which may be older than this tree. Returns the node's peer id. */
async function makeHome(
  folder: string,
  { name, limits }: NodePlan,
  image: string,
  signal: AbortSignal
): Promise<string> {
  const { disk, home, run: shared } = pathsOf(folder).node(name)
  mkdirSync(shared, { recursive: true })
  if (limits.diskBytes === undefined) mkdirSync(disk, { recursive: true })
  else SmallDisk.mount(disk, limits.diskBytes)
  mkdirSync(home, { mode: 0o700 })
  chownSync(home, USER, USER)
  const said = await run(
    [
      'docker',
      'run',
      '--rm',
      '--network',
      'none',
      '-v',
      `${home}:${HOME_THERE}`,
      image,
      'catalog',
      'init',
      '--json'
    ],
    { signal }
  )
  return (JSON.parse(said) as { peerId: string }).peerId
}

/** Of 10.149.0.0/16, one that no network of the engine has. Two that are chosen at the same time may be the same, and the second fails. */
function freeSubnet(taken: readonly string[]): string {
  for (let tries = 0; tries < SUBNET_TRIES; tries++) {
    const subnet = `10.149.${randomInt(256)}`
    if (!taken.includes(`${subnet}.0/24`)) return subnet
  }
  throw new CatalogError('LIMIT_EXCEEDED', 'no subnet of 10.149.0.0/16 was found that is not taken')
}
