import type { CatalogError } from '../../base/index.ts'
import { MAX_RUNS } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import { CopyWatch } from './copy-watch.ts'
import { count, type Figures } from './figures.ts'
import { MAX_ASKED } from './follows.ts'
import { HeadWatch } from './head-watch.ts'
import type { SessionMeter } from './meter.ts'
import type { SimulatedNode } from './node.ts'
import { hex, nameOf, replaces, type SetRecord, type Verifier } from './records.ts'
import { Secrets } from './secrets.ts'
import type { SessionParties, SessionResult } from './session.ts'
import { MAX_ANSWERED } from './sessions.ts'
import { Violation } from './violation.ts'

/** How a session of two honest nodes may end early: what the network, a crash or a full node does; who told a head need not have the set. */
const INNOCENT: readonly string[] = ['STREAM_TRUNCATED', 'BUSY', 'told BUSY', 'NOT_FOUND', 'told NOT_FOUND']
/** Sessions of one node: those that it answers, those that its plan begins, and what a person asks for. */
const MAX_OPEN = MAX_ANSWERED + MAX_RUNS + MAX_ASKED
/** Of one session: one more for each part of a copy that is made beside another. */
const MAX_SNAPSHOTS = 64
/** That a node has at most: home and a closed one. */
const LIBRARIES = 2
const NOTHING = new Uint8Array()
/** What the last thing to happen was: the lines that a failure shows. */
const MAX_LINES = 40

export interface SessionReport {
  readonly node: SimulatedNode
  readonly peer: number
  readonly streamId: number
  readonly role: SessionParties['role']
  readonly meter: SessionMeter
  readonly result: SessionResult
}

export interface WatchModules {
  passedMs: () => number
  nodes: () => readonly SimulatedNode[]
  verifier: Verifier
  print: (line: string) => void
}

/**
 * Sees everything that nodes do and remembers what they have promised, independently of what they keep: throws `Violation` in the very
 * moment in which something goes wrong.
 */
export class Watch {
  readonly figures: Figures
  /** Who may know of closed libraries. */
  readonly secrets: Secrets
  readonly heads: HeadWatch
  readonly copies: CopyWatch
  readonly #passedMs: () => number
  readonly #nodes: () => readonly SimulatedNode[]
  readonly #print: (line: string) => void
  readonly #lines: string[] = []
  /** By node, then by key: what a node has committed, which it must never lose. */
  readonly #promised = new Map<number, Map<string, SetRecord>>()
  /** By stream: the root that the first of two honest nodes found to be that of both. */
  readonly #agreed = new Map<number, string>()
  /** Whether a node signs what an older disk of it, or a copy, knows nothing of: its access list of today may be earlier than that of yesterday. */
  #isTwofold = false
  /** Nobody begins anything any more. */
  isStill = false

  constructor(figures: Figures, { passedMs, nodes, verifier, print }: WatchModules) {
    this.figures = figures
    this.secrets = new Secrets(figures.closed)
    this.heads = new HeadWatch({ figures, nodes, note: line => this.note(line) })
    this.copies = new CopyWatch({ heads: this.heads, secrets: this.secrets, verifier, nodes })
    this.#passedMs = passedMs
    this.#nodes = nodes
    this.#print = print
  }

  get lines(): readonly string[] {
    return this.#lines
  }

  note(line: string): void {
    const stamped = `${(this.#passedMs() / 1000).toFixed(3)} s  ${line}`
    this.#print(stamped)
    this.#lines.push(stamped)
    if (this.#lines.length > MAX_LINES) this.#lines.shift()
  }

  /** What a node has promised, by key. */
  promisedBy({ id }: SimulatedNode): Map<string, SetRecord> {
    const promised = this.#promised.get(id) ?? new Map<string, SetRecord>()
    this.#promised.set(id, promised)
    return promised
  }

  /** Its disk is another one from here on: what was promised on the old one is gone with it. */
  restored(node: SimulatedNode, { isNoticed }: { isNoticed: boolean }): void {
    this.#promised.delete(node.id)
    this.heads.restored(node, { isNoticed })
    this.secrets.restored(node)
    this.#isTwofold = true
  }

  /** The same key signs on two disks from here on. */
  cloned(): void {
    this.#isTwofold = true
  }

  started(node: SimulatedNode): void {
    const { home } = node.life!
    const promised = this.promisedBy(node)
    this.note(`node ${node.id} starts with ${home.count} records`)
    if (!node.isHonest) return
    const lost = home.missing(promised.values())
    if (lost !== undefined)
      throw new Violation(`node ${node.id} has lost a record that it had committed: ${nameOf(lost)}`)
    // After a backup was put back, what stands in it is what counts.
    if (promised.size === 0) this.removed(node)
    this.copies.look(node)
  }

  committed(node: SimulatedNode, records: readonly SetRecord[]): void {
    const promised = this.promisedBy(node)
    for (const record of records) {
      const before = promised.get(record.key)
      if (before !== undefined && !replaces(record, before))
        throw new Violation(`node ${node.id} replaced a record by an older one: ${nameOf(record)}`)
      promised.set(record.key, record)
    }
    const { home } = node.life!
    if (records.length > 0 && !bytesEqual(home.head()?.root ?? NOTHING, home.root))
      throw new Violation(`node ${node.id} has a head of another set than it has`)
    this.note(
      `node ${node.id} commits ${records.map(nameOf).slice(0, 3).join(', ')} (${records.length} records)`
    )
  }

  /** A node takes something out of its library: until that is done it may be there or not. */
  removes(node: SimulatedNode): void {
    this.promisedBy(node).clear()
  }

  removed(node: SimulatedNode): void {
    const promised = this.promisedBy(node)
    // What was said of the release meanwhile has gone with it.
    promised.clear()
    for (const record of node.life!.home.records()) promised.set(record.key, record)
  }

  refusedHead(node: SimulatedNode, from: number, error: CatalogError): void {
    this.heads.refused(node, { id: from, isHonest: this.#honest(from) }, error)
  }

  spoke(report: SessionReport): void {
    const { node, peer, role, meter, result } = report
    const { sessions } = this.figures
    const code = result.error && codeOf(result.error)
    if (role === 'initiator' || code !== undefined)
      this.note(
        `node ${node.id} and ${peer} (${role}): ${code ?? 'equal'} after ${meter.turns} turns, ${meter.bytes} bytes`
      )
    if (!node.isHonest) return
    sessions.recordsTaken += meter.recordsTaken
    sessions.recordsHeld += meter.recordsHeld
    if (role === 'initiator' || !this.#honest(peer)) {
      sessions.bytes += meter.bytes
      sessions.recordBytes += meter.recordBytes
    }
    const excess = meter.excess(result.error === undefined)
    if (excess !== undefined) throw new Violation(`node ${node.id} in a session with ${peer} ${excess}`)
    const isHonest = this.#honest(peer)
    if (code !== undefined) count(isHonest ? sessions.failed : sessions.failedWithHostile, code)
    if (!isHonest) return
    if (result.error === undefined) this.#agreedOn(report)
    else if (!this.#isInnocent(code!))
      throw new Violation(
        `node ${node.id} and ${peer} are honest, and their session ended with ${code}: ${result.error.message}`
      )
  }

  /** Nor is a holder to blame for a writer that tells two stories, or was set back. */
  #isInnocent(code: string): boolean {
    if (INNOCENT.includes(code)) return true
    if (code.endsWith('NOT_PERMITTED')) return this.#isTwofold
    return code.endsWith('HEAD_CONTRADICTED') && (this.figures.hostile > 0 || this.heads.hasRolledBack)
  }

  /** Two honest nodes that call their sets equal must have the same. */
  #agreedOn({ node, peer, streamId, role, meter, result }: SessionReport): void {
    const { sessions } = this.figures
    if (role === 'initiator') {
      sessions.equal++
      sessions.turns += meter.turns
      sessions.mostTurns = Math.max(sessions.mostTurns, meter.turns)
    }
    if (result.root === undefined) return
    const root = hex(result.root)
    const other = this.#agreed.get(streamId)
    if (other === undefined) this.#agreed.set(streamId, root)
    else this.#agreed.delete(streamId)
    if (other !== undefined && other !== root)
      throw new Violation(`nodes ${node.id} and ${peer} called their sets equal, which they are not`)
  }

  #honest(id: number): boolean {
    return this.#nodes().some(node => node.id === id && node.isHonest)
  }

  /** What a node holds beside its records is bounded, at any time. */
  expectBounded(): void {
    for (const { id, isHonest, life, disk } of this.#nodes()) {
      if (!isHonest || life === undefined) continue
      const { open, wanted } = life.syncer
      if (open > MAX_OPEN) throw new Violation(`node ${id} has ${open} sessions`)
      if (disk.openSnapshots > open * MAX_SNAPSHOTS)
        throw new Violation(`node ${id} has ${disk.openSnapshots} snapshots for ${open} sessions`)
      if (wanted > LIBRARIES * this.#nodes().length)
        throw new Violation(`node ${id} wants ${wanted} sessions`)
    }
  }
}

/** What went wrong, and on which side. */
const codeOf = ({ code, details }: CatalogError): string =>
  details?.remoteCode === undefined ? code : `told ${details.remoteCode}`
