/** What the users of a network do, for scenarios: publish, fetch, follow, and look at nodes. */
import { CID } from 'multiformats/cid'
import { createReleaseRecord } from '../../library/index.ts'
import type { Operation, Status } from '../../node/index.ts'
import { SigningKey } from '../../trust/index.ts'
import type { BesideProcess, RunningNetwork, RunningNode } from '../drivers/driver.ts'
import type { Role } from '../network/plan.ts'
import type { Random } from '../simulator/random.ts'
import type { Measures } from './measures.ts'
import { tarOf } from './tar.ts'

export interface WorkModules {
  readonly network: RunningNetwork
  readonly measures: Measures
  readonly random: Random
}

export interface PublishedRelease {
  readonly name: string
  readonly version: string
  readonly content: string
  readonly sizeBytes: number
}

const FIRST_VERSION = '1.0.0'
/** How long one answer of a daemon about an operation waits for its end. */
const ANSWER_MS = 20_000
/** Of names: a network that goes on running has those of the last run too. */
const RUN_NAME_BYTES = 4

export class Work {
  readonly #modules: WorkModules
  readonly #prefix: string
  /** Whose releases all of this run are. */
  readonly #key = SigningKey.generate()
  readonly #beside: Array<Promise<BesideProcess>> = []
  #names = 0

  constructor(modules: WorkModules, { prefix }: { prefix: string }) {
    this.#modules = modules
    const run = Buffer.from(this.#key.publicKey).toString('hex', 0, RUN_NAME_BYTES)
    this.#prefix = `${prefix}-${run}`
  }

  nodes(...roles: readonly Role[]): RunningNode[] {
    return this.#modules.network.nodes.filter(({ plan }) => roles.includes(plan.role))
  }

  /** The first of a role; a scenario has asked for one. */
  node(role: Role): RunningNode {
    return this.nodes(role)[0]!
  }

  /** So many peers that a node without them does not know the network yet: half of the others. */
  get enoughPeers(): number {
    return Math.ceil((this.#modules.network.nodes.length - 1) / 2)
  }

  /** Publishes a new package of random bytes, or another version of one; measured as `publish`. */
  async publish(
    node: RunningNode,
    sizeBytes: number,
    signal: AbortSignal,
    of?: { readonly name: string; readonly version: string }
  ): Promise<PublishedRelease> {
    const { measures, random } = this.#modules
    const { name, version } = of ?? { name: `${this.#prefix}-${++this.#names}`, version: FIRST_VERSION }
    const tar = await tarOf({ 'data.bin': random.bytes(sizeBytes) })
    const content = await measures.time('publish', async () => {
      const ingested = await ok(node, 'POST', '/v1/ingests', tar, signal)
      const record = this.#sign(name, version, ingested)
      await this.operation(node, '/v1/packages', { record, wait: 0 }, signal)
      return ingested.content as string
    })
    return { name, version, content, sizeBytes }
  }

  /** Fetches and verifies all its bytes; the fetch is measured as `fetch`. */
  async fetch(node: RunningNode, { name, version }: PublishedRelease, signal: AbortSignal): Promise<void> {
    await this.#modules.measures.time('fetch', () =>
      this.operation(node, '/v1/fetches', { spec: `${name}@${version}` }, signal)
    )
    const { result } = await this.operation(node, '/v1/verifications', { spec: name }, signal)
    if (result?.ok !== true)
      throw new Error(`${node.name} holds wrong bytes of ${name}: ${JSON.stringify(result)}`)
  }

  /** Code of the error with which a fetch fails; undefined when it does not. */
  async failureOf(
    node: RunningNode,
    { name, version }: PublishedRelease,
    signal: AbortSignal
  ): Promise<string | undefined> {
    try {
      await this.operation(node, '/v1/fetches', { spec: `${name}@${version}` }, signal)
      return undefined
    } catch (error) {
      if (error instanceof NodeRefused) return error.nodeCode
      throw error
    }
  }

  status(node: RunningNode, signal: AbortSignal): Promise<Status> {
    return ok(node, 'GET', '/v1/status', undefined, signal)
  }

  /** Whether a node holds the whole content. */
  async holds(node: RunningNode, { name }: PublishedRelease, signal: AbortSignal): Promise<boolean> {
    const answer = await node.ask({ method: 'GET', path: `/v1/packages/${name}` }, signal)
    const versions: Array<{ local: string }> = answer.json?.versions ?? []
    return versions.some(({ local }) => local === 'complete')
  }

  /** Nodes that hold it, of some. */
  async holdersOf(
    release: PublishedRelease,
    among: readonly RunningNode[],
    signal: AbortSignal
  ): Promise<RunningNode[]> {
    const held = await Promise.all(among.map(node => this.holds(node, release, signal)))
    return among.filter((_, at) => held[at])
  }

  /** What a node says of its connections and of its health is well; else what is not. */
  async faultOf(node: RunningNode, minPeers: number, signal: AbortSignal): Promise<string | undefined> {
    if ((await node.state()) !== 'running') return `${node.name} does not run`
    const { state, peers, partition } = await this.status(node, signal)
    if (state !== 'running') return `${node.name} is ${state}`
    if (partition.state !== 'whole') return `${node.name} sees a network that is ${partition.state}`
    return peers < minPeers ? `${node.name} has ${peers} peers` : undefined
  }

  /** Of many, what is wrong first. */
  async firstFault(
    nodes: readonly RunningNode[],
    minPeers: number,
    signal: AbortSignal
  ): Promise<string | undefined> {
    const faults = await Promise.all(nodes.map(node => this.faultOf(node, minPeers, signal)))
    return faults.find(fault => fault !== undefined)
  }

  /** Publishes what somebody else has signed. */
  async publishSigned(
    node: RunningNode,
    { record, tar }: { record: string; tar: Uint8Array },
    signal: AbortSignal
  ): Promise<void> {
    await ok(node, 'POST', '/v1/ingests', tar, signal)
    await this.operation(node, '/v1/packages', { record, wait: 0 }, signal)
  }

  /** A program of this tree beside a node until the end of the scenario. */
  async beside(node: RunningNode, command: readonly string[]): Promise<BesideProcess> {
    const process = node.beside(command, { isOfTestnet: true })
    // Also when the step that wanted it ends before it has started.
    this.#beside.push(process)
    return await process
  }

  async end(): Promise<void> {
    const started = await Promise.allSettled(this.#beside)
    await Promise.all(
      started.map(async one => (one.status === 'fulfilled' ? await one.value.end() : undefined))
    )
  }

  /** One request that must succeed; its JSON. Throws NodeRefused. */
  // biome-ignore lint/suspicious/noExplicitAny: who asks knows what it is
  ask(node: RunningNode, method: string, path: string, signal: AbortSignal, body?: unknown): Promise<any> {
    return ok(node, method, path, body, signal)
  }

  /** Starts an operation and waits for its end. Throws NodeRefused when it fails. */
  async operation(node: RunningNode, path: string, body: unknown, signal: AbortSignal): Promise<Operation> {
    let { operation } = await ok(node, 'POST', path, body, signal)
    while (operation.state === 'running') {
      const { id } = operation
      operation = (await ok(node, 'GET', `/v1/operations/${id}?wait=${ANSWER_MS}`, undefined, signal))
        .operation
    }
    if (operation.state === 'done') return operation
    const { code = operation.state, message = '' } = operation.error ?? {}
    throw new NodeRefused(`${path} at ${node.name} ${operation.state}`, { code, message })
  }

  #sign(
    name: string,
    version: string,
    { content, sizeBytes, files }: { content: string; sizeBytes: number; files: number }
  ): string {
    const now = Date.now()
    const release = {
      name,
      version,
      type: 'package' as const,
      content: CID.parse(content),
      sizeBytes,
      files,
      publishedAt: now,
      sequence: now
    }
    return Buffer.from(createReleaseRecord(release, this.#key).bytes).toString('base64')
  }
}

/** What a node says no to, with its code. */
export class NodeRefused extends Error {
  readonly nodeCode: string

  constructor(what: string, { code, message }: { code: string; message: string }) {
    super(`${what}: ${code}: ${message}`)
    this.nodeCode = code
  }
}

async function ok(
  node: RunningNode,
  method: string,
  path: string,
  body: unknown,
  signal: AbortSignal
  // biome-ignore lint/suspicious/noExplicitAny: who asks knows what it is
): Promise<any> {
  const answer = await node.ask({ method, path, ...(body !== undefined && { body }) }, signal)
  if (answer.status < 400) return answer.json
  const said = answer.json?.error ?? { code: String(answer.status), message: answer.bytes.toString() }
  throw new NodeRefused(`${method} ${path} at ${node.name}`, said)
}
