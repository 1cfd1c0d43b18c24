/** A network of nodes that do nothing but write down what is done to them. */
import { CatalogError } from '../../../base/index.ts'
import type { NodeState, RunningNetwork, RunningNode } from '../../../testnet/drivers/driver.ts'
import { planNetwork } from '../../../testnet/network/topologies.ts'

export const PLAN = planNetwork({
  topology: 'mesh',
  regions: ['eu', 'us', 'ap'],
  counts: { seed: 1, publisher: 1, mirror: 3, consumer: 2 },
  diskBytes: { consumer1: 1e6 }
})

export interface FakeNetwork extends RunningNetwork {
  /** What was done, in order. */
  readonly done: string[]
  /** What fails when it is done, with which error. */
  readonly failing: Map<string, Error>
}

export function fakeNetwork(): FakeNetwork {
  const done: string[] = []
  const failing = new Map<string, Error>()
  const note = async (what: string): Promise<void> => {
    done.push(what)
    const error = failing.get(what)
    if (error !== undefined) throw error
  }
  const nodes = PLAN.nodes.map(plan => fakeNode(plan, note))
  return {
    driver: 'netns',
    plan: PLAN,
    folder: '/nowhere',
    nodes,
    done,
    failing,
    node: name => nodes.find(node => node.name === name)!,
    setLink: (one, other, settings) => note(`link ${one} ${other} ${JSON.stringify(settings)}`),
    cut: (one, other) => note(`cut ${one} ${other}`),
    restore: (one, other) => note(`restore ${one} ${other}`),
    close: () => note('close')
  }
}

function fakeNode(plan: RunningNode['plan'], note: (what: string) => Promise<void>): RunningNode {
  const { name } = plan
  let state: NodeState = 'running'
  const become = (next: NodeState, what: string) => async (): Promise<void> => {
    state = next
    await note(`${what} ${name}`)
  }
  return {
    plan,
    name,
    peerId: name,
    address: name,
    state: async () => state,
    ask: async () => {
      throw new CatalogError('NO_DAEMON', 'a fake has none')
    },
    catalog: async () => ({ code: 0, error: undefined }),
    async start() {
      await become('running', 'start')()
      return 1
    },
    stop: become('stopped', 'stop'),
    kill: become('stopped', 'kill'),
    pause: become('paused', 'pause'),
    resume: become('running', 'resume'),
    setHooks: hooks => note(`hooks ${name} ${JSON.stringify(hooks)}`),
    fillDisk: leaveBytes => note(`fill ${name} ${leaveBytes}`),
    freeDisk: () => note(`free ${name}`),
    async beside() {
      await note(`beside ${name}`)
      return { lines: (async function* () {})(), write: () => undefined, end: () => note(`end ${name}`) }
    },
    files: {
      list: async () => [{ name: '1', sizeBytes: 100 }],
      read: async () => Buffer.alloc(100),
      overwrite: (path, at, bytes) => note(`overwrite ${name} ${path} ${at} ${bytes.length}`)
    }
  }
}
