/**
 * What must hold of copies that nodes hold for each other, in a world of any kind: the simulator asks of its nodes, the tests with
 * real daemons of theirs. Each says what is wrong, or nothing.
 */

/** No owner gets more of a node. */
const OWNER_SHARE = 0.1

export interface HeldCopy {
  readonly content: string
  readonly owner: string
  readonly bytes: number
}

/** What a node holds for others. */
export interface HoldingNode {
  readonly name: string
  readonly quotaBytes: number
  readonly copies: readonly HeldCopy[]
  /** Contents that its operator keeps away from it. */
  readonly blocked: ReadonlySet<string>
}

/** Nothing is taken that there is no room for, of its owner or at all, or that is blocked. `copies`: before it. */
export function takeFault(
  { name, quotaBytes, copies, blocked }: HoldingNode,
  taken: HeldCopy
): string | undefined {
  if (blocked.has(taken.content)) return `${name} takes ${taken.content}, which it blocks`
  const all = [...copies, taken]
  const bytesOf = (some: readonly HeldCopy[]): number => some.reduce((sum, { bytes }) => sum + bytes, 0)
  if (quotaBytes > 0 && bytesOf(all) > quotaBytes)
    return `${name} holds ${bytesOf(all)} bytes, more than its quota of ${quotaBytes}`
  const ownerBytes = bytesOf(all.filter(({ owner }) => owner === taken.owner))
  return quotaBytes > 0 && ownerBytes > quotaBytes * OWNER_SHARE
    ? `${name} gives ${ownerBytes} bytes, more than a tenth, to ${taken.owner}`
    : undefined
}

export interface ContentCopies {
  readonly name: string
  /** Networks, or nodes without a public one, in which there is a copy that can be reached. */
  readonly sites: number
  /** Nodes that hold it for others. */
  readonly mirrors: number
  /** Sites that could hold it. */
  readonly able: number
}

/** Once it is quiet there are copies enough of everything, and of nothing too many. */
export function placementFault(
  { name, sites, mirrors, able }: ContentCopies,
  { min, max }: { readonly min: number; readonly max: number }
): string | undefined {
  if (sites < Math.min(min, able)) return `${name} has ${sites} copies once it is quiet`
  // Some stand before others in the order of costs and not in that of the spread.
  if (mirrors > 2 * max) return `${name} has ${mirrors} mirrors once it is quiet`
  return undefined
}
