/** How each fault is given to a network, and how it is taken back: by what the driver can do, and nothing else. */
import { timeoutSignal } from '../../base/index.ts'
import type { BesideProcess, Hooks, RunningNetwork, RunningNode } from '../drivers/driver.ts'
import { neighboursOf, plannedLink } from '../network/plan.ts'
import { Random } from '../simulator/random.ts'
import type { Fault, FaultKind } from './fault.ts'

/** Takes a fault back. What is as it should be already stays so. */
export type Revert = (signal: AbortSignal) => Promise<void>

export interface FaultModules {
  readonly network: RunningNetwork
  /** What each node is told about its machine: two faults may be at one node at once. */
  readonly hooks: Map<string, Hooks>
}

type FaultOf<Kind extends FaultKind> = Extract<Fault, { kind: Kind }>
type Apply<Kind extends FaultKind> = (
  modules: FaultModules,
  fault: FaultOf<Kind>,
  signal: AbortSignal
) => Promise<Revert>

const BUSY = 'for (;;);'

const CATALOGUE: { readonly [Kind in FaultKind]: Apply<Kind> } = {
  latency: (modules, { between, delayMs }, signal) => changeLink(modules, between, { delayMs }, signal),
  loss: (modules, { between, lossPercent }, signal) => changeLink(modules, between, { lossPercent }, signal),
  rate: (modules, { between, rateMbit }, signal) => changeLink(modules, between, { rateMbit }, signal),

  async partition({ network }, { region }, signal) {
    const others = neighboursOf(network.plan, region)
    const restore: Revert = async end => {
      await Promise.all(others.map(other => network.restore(region, other, end)))
    }
    await orRevert(restore, async () => {
      await Promise.all(others.map(other => network.cut(region, other, signal)))
    })
    return restore
  },

  async kill({ network }, { node }) {
    await network.node(node).kill()
    return end => startStopped(network.node(node), end)
  },

  async pause({ network }, { node }) {
    await network.node(node).pause()
    return () => network.node(node).resume()
  },

  async restart({ network }, { node: name, program }, signal) {
    const node = network.node(name)
    const startAgain: Revert = end => startStopped(node, end)
    await orRevert(startAgain, async () => {
      await node.stop(signal)
      await node.start(program === undefined ? {} : { program }, signal)
    })
    return startAgain
  },

  async 'disk-full'({ network }, { node, leaveBytes }) {
    await network.node(node).fillDisk(leaveBytes)
    return () => network.node(node).freeDisk()
  },

  'slow-disk': (modules, { node, diskDelayMs }) => addHook(modules, node, { diskDelayMs }),
  'clock-skew': (modules, { node, clockOffsetMs }) => addHook(modules, node, { clockOffsetMs }),

  async 'cpu-pressure'({ network }, { node, processes }) {
    const started: BesideProcess[] = []
    const end: Revert = async () => {
      await Promise.all(started.map(process => process.end()))
    }
    await orRevert(end, async () => {
      while (started.length < processes) started.push(await network.node(node).beside(['node', '-e', BUSY]))
    })
    return end
  },

  async 'corrupt-segment'({ network }, { node: name, bytes, seed }) {
    const { files } = network.node(name)
    const random = new Random(seed)
    const segments = (await files.list('segments')).filter(({ sizeBytes }) => sizeBytes > 0)
    if (segments.length === 0) return async () => undefined
    for (let left = bytes; left > 0; left--) {
      const { name: segment, sizeBytes } = random.pick(segments)
      const path = `segments/${segment}`
      const at = random.below(sizeBytes)
      const old = (await files.read(path))[at]!
      await files.overwrite(path, at, Uint8Array.of(old ^ (1 << random.below(8))))
    }
    // The node mends it itself, from what others hold: putting bytes back could hit what it has written meanwhile.
    return async () => undefined
  }
}

/** Gives a network a fault; what it returns takes it back. A fault that fails half-way is taken back before this rejects. */
export function applyFault(modules: FaultModules, fault: Fault, signal: AbortSignal): Promise<Revert> {
  const apply = CATALOGUE[fault.kind] as Apply<FaultKind>
  return apply(modules, fault, signal)
}

async function changeLink(
  { network }: FaultModules,
  [one, other]: readonly [string, string],
  settings: { delayMs?: number; lossPercent?: number; rateMbit?: number },
  signal: AbortSignal
): Promise<Revert> {
  const planned = plannedLink(network.plan, one, other)
  const keys = Object.keys(settings) as Array<keyof typeof settings>
  await network.setLink(one, other, settings, signal)
  return end => network.setLink(one, other, Object.fromEntries(keys.map(key => [key, planned[key]])), end)
}

async function addHook({ network, hooks }: FaultModules, node: string, hook: Hooks): Promise<Revert> {
  const tell = async (change: (now: Hooks) => Hooks): Promise<void> => {
    hooks.set(node, change(hooks.get(node) ?? {}))
    await network.node(node).setHooks(hooks.get(node)!)
  }
  await tell(now => ({ ...now, ...hook }))
  const names = Object.keys(hook)
  return () => tell(now => Object.fromEntries(Object.entries(now).filter(([name]) => !names.includes(name))))
}

async function startStopped(node: RunningNode, signal: AbortSignal): Promise<void> {
  if ((await node.state()) === 'stopped') await node.start({}, signal)
}

async function orRevert(revert: Revert, apply: () => Promise<void>): Promise<void> {
  try {
    await apply()
  } catch (error) {
    // Whatever ended it must not end this too; those who wait have a time of their own.
    await revert(timeoutSignal(REVERT_MS))
    throw error
  }
}

/** Taking one fault back: a start is the longest of them. */
export const REVERT_MS = 90_000
