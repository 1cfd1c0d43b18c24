/** Does what the plans of users say, through the admin API and the command line, and notes how each of it ended. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Clock, MINUTE_MS, SECOND_MS, timeoutSignal, toCatalogError } from '../../base/index.ts'
import type { RunningNetwork, RunningNode } from '../drivers/driver.ts'
import type { Measures } from '../scenarios/measures.ts'
import { NodeRefused, type PublishedRelease, type Work } from '../scenarios/work.ts'
import { type OperationKind, type PlannedOperation, UserPlan } from './load-plan.ts'
import type { Outcomes } from './outcomes.ts'

/** A publisher that has so many removes the oldest before it publishes, so that libraries stop growing and memory can be judged. */
const MOST_RELEASES = 60
/** An operation that has not ended by then hangs: no fault lasts as long, nor anything that waits for one to pass. */
const HANG_MS = 4 * MINUTE_MS
/** How long somebody looks at events. */
const WATCH_MS = 3 * SECOND_MS
/** The code of operations that hang. */
export const HUNG = 'HUNG'
/** A node says so of what a user would not have asked had they known: answers, and no failures. */
const ANSWERS: Readonly<Partial<Record<OperationKind, readonly string[]>>> = {
  follow: ['ALREADY_FOLLOWED'],
  // It is compared at this moment.
  sync: ['BUSY'],
  unfollow: ['NOT_FOUND'],
  remove: ['RELEASE_PINNED', 'RELEASE_NOT_FOUND'],
  info: ['RELEASE_NOT_FOUND'],
  pin: ['RELEASE_NOT_FOUND'],
  unpin: ['RELEASE_NOT_FOUND', 'NOT_FOUND'],
  'mirror-unpin': ['RELEASE_NOT_FOUND', 'NOT_FOUND']
}

export interface LoadModules {
  readonly network: RunningNetwork
  readonly work: Work
  readonly measures: Measures
  readonly clock: Clock
  readonly outcomes: Outcomes
}

type Do = (node: RunningNode, planned: PlannedOperation, signal: AbortSignal) => Promise<unknown>

export class Load {
  readonly #modules: LoadModules
  /** What each publisher has published and not removed, the oldest first. */
  readonly #releases = new Map<string, PublishedRelease[]>()
  /** By name, of those that had further ones; also of what was removed since, and of what failed: nobody knows how far it came. */
  readonly #lastVersions = new Map<string, string>()
  #installs = 0

  constructor(modules: LoadModules) {
    this.#modules = modules
  }

  /** A user at each node until the time is over; resolves when what they had begun has ended. */
  async run(seed: string, forMs: number, signal: AbortSignal): Promise<void> {
    const { network, clock } = this.#modules
    const endMs = clock.monotonicMs() + forMs
    await Promise.all(
      network.nodes.map(async node => {
        const plan = new UserPlan(seed, node.name, node.plan.role)
        for (let planned = plan.next(); ; planned = plan.next()) {
          await clock.wait(planned.afterMs, signal)
          if (clock.monotonicMs() > endMs) return
          await this.#note(node, planned, signal)
        }
      })
    )
  }

  async #note(node: RunningNode, planned: PlannedOperation, signal: AbortSignal): Promise<void> {
    const { measures, outcomes } = this.#modules
    const { kind } = planned
    const late = timeoutSignal(HANG_MS)
    const end = AbortSignal.any([signal, late])
    try {
      await measures.time(`user ${kind}`, () => this.#do[kind](node, planned, end))
      outcomes.add(kind)
    } catch (error) {
      signal.throwIfAborted()
      // Nothing of its kind was there yet.
      if (error === NOTHING_THERE) return
      const code = late.aborted ? HUNG : error instanceof NodeRefused ? error.nodeCode : undefined
      const { message, code: known } = toCatalogError(error)
      if (ANSWERS[kind]?.includes(code ?? known) === true) outcomes.add(kind)
      else outcomes.add(kind, { code: code ?? known, message: `${node.name}: ${message}` })
    }
  }

  readonly #do: Readonly<Record<OperationKind, Do>> = {
    publish: async (node, { pick, sizeBytes }, signal) => {
      const releases = this.#of(node)
      if (releases.length >= MOST_RELEASES) await this.#remove(node, 0, signal)
      // Every other one is a further version of what is there.
      const last = pick < 0.5 ? releases.at(-1) : undefined
      const next = last && { name: last.name, version: this.#nextVersion(last) }
      if (next !== undefined) this.#lastVersions.set(next.name, next.version)
      releases.push(await this.#modules.work.publish(node, sizeBytes, signal, next))
    },
    remove: async (node, { pick }, signal) => {
      if (node.plan.role === 'publisher')
        return await this.#remove(node, Math.floor(pick * this.#of(node).length), signal)
      const held = await this.#held(node, pick, signal)
      return await this.#ask(node, 'DELETE', `/v1/releases?spec=${held}`, signal)
    },
    fetch: (node, { pick }, signal) =>
      this.#modules.work.operation(node, '/v1/fetches', { spec: this.#spec(pick) }, signal),
    verify: async (node, { pick }, signal) => {
      const spec = decodeURIComponent(await this.#held(node, pick, signal))
      return await this.#modules.work.operation(node, '/v1/verifications', { spec, repair: true }, signal)
    },
    install: async (node, { pick }, signal) => {
      const to = join(this.#modules.network.folder, 'installs', `${node.name}-${++this.#installs}`)
      try {
        const { code, error } = await node.catalog(['install', this.#spec(pick), '--to', to], signal)
        const said = error ?? { code: `EXIT_${code}`, message: 'no error document' }
        if (code !== 0) throw new NodeRefused(`catalog install at ${node.name}`, said)
      } finally {
        await rm(to, { recursive: true, force: true })
      }
    },
    search: (node, { pick }, signal) =>
      this.#ask(node, 'GET', `/v1/versions?name=${nameOf(this.#spec(pick))}&network=true`, signal),
    info: (node, { pick }, signal) =>
      this.#ask(node, 'GET', `/v1/packages/${nameOf(this.#spec(pick))}`, signal),
    list: (node, _, signal) => this.#ask(node, 'GET', '/v1/packages?limit=50', signal),
    status: (node, _, signal) => this.#ask(node, 'GET', '/v1/status', signal),
    doctor: (node, _, signal) => this.#ask(node, 'GET', '/v1/doctor', signal),
    watch: async (node, _, signal) => {
      const enough = timeoutSignal(WATCH_MS)
      try {
        await this.#ask(node, 'GET', '/v1/events', AbortSignal.any([signal, enough]))
      } catch (error) {
        if (!enough.aborted) throw error
      }
    },
    follow: (node, { pick }, signal) =>
      this.#ask(node, 'POST', '/v1/follows', signal, {
        library: this.#writer(node, pick),
        content: pick < 0.5 ? 'none' : 'wanted'
      }),
    unfollow: async (node, { pick }, signal) => {
      const writer = await this.#followed(node, pick, signal)
      return await this.#ask(node, 'DELETE', `/v1/follows/${writer}`, signal)
    },
    sync: async (node, { pick }, signal) => {
      const peer = await this.#followed(node, pick, signal)
      return await this.#modules.work.operation(node, '/v1/sync', { peer }, signal)
    },
    pin: async (node, { pick }, signal) => {
      const spec = decodeURIComponent(await this.#held(node, pick, signal))
      return await this.#ask(node, 'PUT', '/v1/releases/pin', signal, { spec })
    },
    unpin: async (node, { pick }, signal) =>
      this.#ask(node, 'DELETE', `/v1/releases/pin?spec=${await this.#held(node, pick, signal)}`, signal),
    'mirror-pin': (node, { pick }, signal) =>
      this.#modules.work.operation(node, '/v1/mirror/pins', { spec: this.#spec(pick) }, signal),
    'mirror-unpin': (node, { pick }, signal) =>
      this.#ask(node, 'DELETE', `/v1/mirror/pins?spec=${encodeURIComponent(this.#spec(pick))}`, signal),
    'mirror-run': (node, _, signal) => this.#modules.work.operation(node, '/v1/mirror/runs', {}, signal),
    collect: (node, _, signal) => this.#modules.work.operation(node, '/v1/collections', {}, signal),
    backup: async (node, _, signal) => {
      const { status, trailers, json } = await node.ask({ method: 'GET', path: '/v1/backup' }, signal)
      const ended = trailers['x-catalog-status']
      if (status !== 200) throw new NodeRefused(`backup at ${node.name}`, json.error)
      if (ended !== 'ok')
        throw new NodeRefused(`backup at ${node.name}`, { code: String(ended), message: 'broken off' })
    }
  }

  #ask(
    node: RunningNode,
    method: string,
    path: string,
    signal: AbortSignal,
    body?: unknown
  ): Promise<unknown> {
    return this.#modules.work.ask(node, method, path, signal, body)
  }

  /** After the last that was ever published: what was removed is not given to another content. */
  #nextVersion({ name, version }: PublishedRelease): string {
    return (this.#lastVersions.get(name) ?? version).replace(/\d+$/, patch => String(Number(patch) + 1))
  }

  #of(publisher: RunningNode): PublishedRelease[] {
    const releases = this.#releases.get(publisher.name) ?? []
    this.#releases.set(publisher.name, releases)
    return releases
  }

  async #remove(publisher: RunningNode, at: number, signal: AbortSignal): Promise<void> {
    const release = this.#of(publisher)[at]
    if (release === undefined) throw NOTHING_THERE
    const spec = encodeURIComponent(`${release.name}@${release.version}`)
    await this.#ask(publisher, 'DELETE', `/v1/releases?spec=${spec}`, signal)
    this.#of(publisher).splice(this.#of(publisher).indexOf(release), 1)
  }

  /** One that somebody has published. */
  #spec(pick: number): string {
    const all = [...this.#releases.values()].flat()
    const release = all[Math.floor(pick * all.length)]
    if (release === undefined) throw NOTHING_THERE
    return `${release.name}@${release.version}`
  }

  /** One that the node holds whole, ready for a query. */
  async #held(node: RunningNode, pick: number, signal: AbortSignal): Promise<string> {
    const { packages } = (await this.#ask(node, 'GET', '/v1/packages?limit=100', signal)) as {
      packages: Array<{ name: string; version: string; local: string }>
    }
    const whole = packages.filter(({ local }) => local === 'complete')
    const held = whole[Math.floor(pick * whole.length)]
    if (held === undefined) throw NOTHING_THERE
    return encodeURIComponent(`${held.name}@${held.version}`)
  }

  #writer(node: RunningNode, pick: number): string {
    const writers = this.#modules.work.nodes('publisher').filter(({ name }) => name !== node.name)
    return writers[Math.floor(pick * writers.length)]!.peerId
  }

  async #followed(node: RunningNode, pick: number, signal: AbortSignal): Promise<string> {
    const { follows } = (await this.#ask(node, 'GET', '/v1/sync', signal)) as {
      follows: Array<{ writer: string }>
    }
    const followed = follows[Math.floor(pick * follows.length)]
    if (followed === undefined) throw NOTHING_THERE
    return followed.writer
  }
}

const NOTHING_THERE = new Error('nothing of the kind is there yet')

const nameOf = (spec: string): string => spec.slice(0, spec.lastIndexOf('@'))
