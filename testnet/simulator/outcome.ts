/** What must be so once everything is quiet. */
import { buildTree, rootOf } from '../../sync/index.ts'
import { bytesEqual } from '../../trust/index.ts'
import type { Home } from './home.ts'
import type { LibraryCopy } from './home-reader.ts'
import { homeIdOf } from './libraries.ts'
import type { SimulatedNode } from './node.ts'
import { hex, nameOf, type SetRecord } from './records.ts'
import { membersWithout } from './team-steps.ts'
import { viewsOf } from './views.ts'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

/** A set that is to be equal to another. */
interface Pair {
  readonly node: SimulatedNode
  readonly other: SimulatedNode
  /** Of the other one's library; undefined where the two join one set, or where there is no copy yet. */
  readonly copy: LibraryCopy | undefined
}

/** In which the records of one set are looked at for views, beside the first. */
const MAX_ORDERS = 8

const homeOf = (node: SimulatedNode): Home => node.life!.home

export const recordsOf = (node: SimulatedNode): number => homeOf(node).count

/** All that is to be equal: everybody's set and that of the first, or every copy and its library. */
function pairsOf({ honest, mode, neighboursOf }: World): Pair[] {
  if (mode === 'join') return honest.map(node => ({ node, other: honest[0]!, copy: undefined }))
  return honest.flatMap(node =>
    neighboursOf(node)
      .filter(({ isHonest }) => isHonest)
      .map(other => ({
        node,
        other,
        copy: homeOf(node).copyOf(homeIdOf(other.options.key.publicKey))
      }))
  )
}

function rootsOf(world: World, { node, other, copy }: Pair): [Uint8Array | undefined, Uint8Array] {
  return [world.mode === 'join' ? homeOf(node).root : copy?.root, homeOf(other).root]
}

const isEqual = (world: World, pair: Pair): boolean => {
  const [here, there] = rootsOf(world, pair)
  return here !== undefined && bytesEqual(here, there)
}

export const isConverged = (world: World): boolean =>
  pairsOf(world).every(pair => isEqual(world, pair)) &&
  unheardOf(world).length === 0 &&
  membersWithout(world).length === 0

/** Honest nodes that do not know the last head of an honest neighbour. */
function unheardOf({ honest, neighboursOf }: World): string[] {
  return honest.flatMap(node =>
    neighboursOf(node).flatMap(other => {
      const head = other.isHonest ? homeOf(other).head() : undefined
      const known = head && homeOf(node).headOf(head.library, head.writer)
      return head === undefined || (known !== undefined && bytesEqual(known.bytes, head.bytes))
        ? []
        : [`node ${node.id} does not know head ${head.epoch}.${head.revision} of ${other.id}`]
    })
  )
}

export function differenceOf(world: World): string {
  const different = pairsOf(world)
    .filter(pair => !isEqual(world, pair))
    .map(pair => {
      const [here, there] = rootsOf(world, pair)
      return `node ${pair.node.id} has ${hex(here ?? new Uint8Array()).slice(0, 8)}, ${pair.other.id} ${hex(there).slice(0, 8)}`
    })
  return [...different, ...unheardOf(world), ...membersWithout(world)].join('; ')
}

/** Trees are those of their records, nothing that was promised is lost, and nothing is there that nobody signed. */
export async function expectSets(world: World): Promise<void> {
  const { honest, verifier, watch, mode } = world
  for (const node of honest) {
    const home = homeOf(node)
    const records = home.records()
    if (!bytesEqual(await rootOfRecords(records), home.root))
      throw new Violation(`node ${node.id} has a tree that is not that of its records`)
    for (const { recHash } of records)
      if (!verifier.knows(recHash)) throw new Violation(`node ${node.id} has a record that nobody verified`)
    // Of sets that are equal one is enough.
    const holder = mode === 'join' ? homeOf(honest[0]!) : home
    const lost = holder.missing(watch.promisedBy(node).values())
    if (lost !== undefined)
      throw new Violation(`a record that node ${node.id} had committed is lost: ${nameOf(lost)}`)
  }
  for (const { node, copy } of pairsOf(world)) await expectCopy(node, copy)
}

/** Every node and record of a copy, read and compared. */
async function expectCopy(node: SimulatedNode, copy: LibraryCopy | undefined): Promise<void> {
  if (copy === undefined) return
  const { ok, problems } = await homeOf(node).sets.check(copy.libraryId)
  if (!ok) throw new Violation(`node ${node.id} has a copy that is damaged: ${problems.join('; ')}`)
}

/** By building the tree at once, which is not how it came to be. */
async function rootOfRecords(records: readonly SetRecord[]): Promise<Uint8Array> {
  async function* entries(): AsyncGenerator<Buffer> {
    yield Buffer.concat(records.flatMap(({ trieKey, recHash }) => [trieKey, recHash]))
  }
  return rootOf(await buildTree(entries(), async () => undefined))
}

/**
 * Who has the same set sees the same. Trees show that sets are the same; what remains is the order in which records are looked at, and
 * a few orders of each set are enough.
 */
export function expectViews(world: World): void {
  const { publishers, random } = world
  const views = new Map<SimulatedNode, string>()
  const viewOf = (records: SetRecord[], name: string): string =>
    viewsOf(records, publishers.weights, random.fork(`view ${name}`))
  const orders = new Map<SimulatedNode, number>()
  for (const { node, other, copy } of pairsOf(world)) {
    orders.set(other, (orders.get(other) ?? 0) + 1)
    if (orders.get(other)! > MAX_ORDERS) continue
    const seen = views.get(other) ?? viewOf(homeOf(other).records(), `of ${other.id}`)
    views.set(other, seen)
    const records = copy === undefined ? homeOf(node).records() : homeOf(node).recordsOf(copy.libraryId)
    if (viewOf(records, `of ${other.id} at ${node.id}`) !== seen)
      throw new Violation(`nodes ${node.id} and ${other.id} have the same set and see different views of it`)
  }
}
