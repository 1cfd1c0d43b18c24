/**
 * What a driver is: the one way in which everything else of the testnet (the command, faults, scenarios) touches nodes. A
 * driver makes a plan real, by namespaces of this machine (`netns/`) or by containers (`compose/`), and leaves it running
 * when its process ends: whatever is needed to find it again stands in the folder of the network (`state.ts`).
 *
 * A driver that cannot do one of the things below throws `unsupported`, a CatalogError with the code UNSUPPORTED: scenarios
 * and tests skip what needs it with that reason. All that waits ends with the reason of its signal when that is aborted.
 */
import { CatalogError } from '../../base/index.ts'
import type { LinkSettings } from '../links/settings.ts'
import type { NetworkPlan, NodePlan } from '../network/plan.ts'

export const DRIVERS = ['netns', 'compose'] as const
export type DriverName = (typeof DRIVERS)[number]

export interface UpOptions {
  /** Where homes, logs and the state of the network go. Must be empty or missing. */
  readonly folder: string
  /** What the nodes run, as the driver names it: the path of a bundled program for namespaces, an image for containers. */
  readonly program: string
}

export interface Driver {
  readonly name: DriverName
  /** Why no network can be made so on this machine; undefined when it can. */
  whyNot(): string | undefined
  /**
   * Makes the network and starts its nodes, each after those of its `after` are ready; resolves once all are ready. When it
   * fails or is aborted, everything that was made is removed before it rejects.
   */
  up(plan: NetworkPlan, options: UpOptions, signal: AbortSignal): Promise<RunningNetwork>
  /** The network of this folder, whoever brought it up; undefined when this driver has none there. Changes nothing. */
  attach(folder: string): RunningNetwork | undefined
  /**
   * Removes the network of this folder with its processes, devices, mounts and the folder itself. Does what there is to do
   * after a crash at any moment of `up` or of the network, and nothing when there is nothing left.
   */
  down(folder: string): Promise<void>
}

export interface RunningNetwork {
  readonly driver: DriverName
  readonly plan: NetworkPlan
  readonly folder: string
  /** In the order of the plan. */
  readonly nodes: readonly RunningNode[]
  /** Throws NOT_FOUND for a name that is not in the plan. */
  node(name: string): RunningNode
  /**
   * Changes the link between two regions, in both directions, for every packet that comes from now on; what is not given
   * stays. Throws NOT_FOUND where no link joins them.
   */
  setLink(one: string, other: string, settings: Partial<LinkSettings>, signal: AbortSignal): Promise<void>
  /** No packet passes between these two regions any more, those under way are lost. Cutting twice is cutting once. */
  cut(one: string, other: string, signal: AbortSignal): Promise<void>
  restore(one: string, other: string, signal: AbortSignal): Promise<void>
  /** Lets go of what this process holds of the network; the network goes on. */
  close(): Promise<void>
}

export type NodeState = 'running' | 'paused' | 'stopped'

export interface RunningNode {
  readonly plan: NodePlan
  readonly name: string
  readonly peerId: string
  /** Where other nodes reach it: a multiaddr with /p2p/. The same after each start. */
  readonly address: string
  /** What its daemon does at this moment: `stopped` after a stop, a kill or a crash. Asks the system, not the daemon. */
  state(): Promise<NodeState>
  /** `catalog ARGS --json` on the node's home, to its end. Never throws for what the command refuses: see `code` and `error`. */
  catalog(args: readonly string[], signal: AbortSignal): Promise<CommandEnd>
  /** One request to the admin API. Throws only when nobody answers (NO_DAEMON), or what answers is cut (STREAM_TRUNCATED). */
  ask(request: AdminRequest, signal: AbortSignal): Promise<AdminAnswer>

  /**
   * Starts the daemon of a stopped node on its home and at its address; resolves with the milliseconds until it was ready.
   * Rejects with what it said when it ends before that.
   */
  start(options: StartOptions, signal: AbortSignal): Promise<number>
  /** SIGTERM, and the end of the process; SIGKILL when a daemon does not keep its promise of ten seconds. */
  stop(signal: AbortSignal): Promise<void>
  /** SIGKILL, and the end of the process. */
  kill(): Promise<void>
  /** SIGSTOP: nothing runs and nothing is closed. */
  pause(): Promise<void>
  /** SIGCONT. */
  resume(): Promise<void>

  /**
   * What its daemon sees of the machine, from within a second of now on and over restarts; all together replace those before, so that `{}` takes
   * them all back.
   */
  setHooks(hooks: Hooks): Promise<void>
  /** Fills the disk of the home (`limits.diskBytes`) until so much is left. UNSUPPORTED for a node without one. */
  fillDisk(leaveBytes: number): Promise<void>
  /** Takes away what `fillDisk` has put there. */
  freeDisk(): Promise<void>
  /**
   * Starts a process in the network, and within the limits, of the node: for load and for hostile peers. `node` as the first word is a
   * Node as new as the testnet's. With `isOfTestnet` its paths are of this machine, and it need not be within the limits. It ends with the network at the latest.
   */
  beside(command: readonly string[], options?: { readonly isOfTestnet?: boolean }): Promise<BesideProcess>
  readonly files: HomeFiles
}

export interface StartOptions {
  /** Another program than before, for an upgrade; once it was ready it stays until another is given. */
  readonly program?: string
}

/** Lies about the machine, which a module that is loaded before the program (`hooks.mjs`) tells it. */
export interface Hooks {
  /** The wall clock is this much ahead; negative is behind. Monotonic time stays. */
  readonly clockOffsetMs?: number
  /** Each write and each sync of a segment takes so much longer. */
  readonly diskDelayMs?: number
}

/** How a command has ended. */
export interface CommandEnd {
  readonly code: number | null
  /** Undefined where it did what it was told. */
  readonly error: ErrorDocument | undefined
}

export interface ErrorDocument {
  readonly code: string
  readonly message: string
  readonly hint: string
}

export interface AdminRequest {
  readonly method: string
  /** With its query. */
  readonly path: string
  /** Bytes go as a tar stream, anything else as JSON. */
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

export interface AdminAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly bytes: Buffer
  /** The body, when it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: who asks knows what it is
  readonly json: any
  /** Of streams: how it ended (`x-catalog-status`). */
  readonly trailers: Readonly<Record<string, string | undefined>>
}

/** A process beside a node. */
export interface BesideProcess {
  /** Lines of its standard output, as they come; ends with the process. */
  readonly lines: AsyncIterable<string>
  /** Writes a line to its standard input. */
  write(line: string): void
  /** SIGTERM, and SIGKILL when that has not ended it after two seconds. */
  end(): Promise<void>
}

/** The files of a node's home, whether or not its daemon runs; paths are relative to the home. */
export interface HomeFiles {
  /** Files of a folder with their sizes, in the order of their names; nothing when there is no such folder. */
  list(folder: string): Promise<Array<{ readonly name: string; readonly sizeBytes: number }>>
  read(path: string): Promise<Buffer>
  /** Puts bytes in place of those that stand there; the file stays as long as it is. */
  overwrite(path: string, offsetBytes: number, bytes: Uint8Array): Promise<void>
}

/** Of the nodes of a network, the one of that name; throws NOT_FOUND. */
export function nodeIn(nodes: readonly RunningNode[], name: string): RunningNode {
  const node = nodes.find(one => one.name === name)
  if (node === undefined) throw new CatalogError('NOT_FOUND', `the network has no node ${name}`)
  return node
}

/** What a driver throws for what it cannot do. */
export function unsupported(driver: DriverName, what: string): CatalogError {
  return new CatalogError('UNSUPPORTED', `the driver ${driver} cannot ${what}`, {
    hint: 'run it with the other driver (--driver), or without this fault'
  })
}
