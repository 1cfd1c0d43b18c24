/**
 * Copies that stand in different places: the order of a content's members with a cap on how many of the first k are in one region.
 *
 * Greedy, one place after the other: at place k comes the first member, in the order of costs, whose region has fewer of the places before than
 * ceil(k x share). It is looked for among the first 2k of that order only; when all of those are capped, the first that is left comes. So
 * the first k of the order are a fair choice for every k, whatever number of copies is wanted; and because nobody can come to be among the first k
 * who is not among the first 2k by cost, a region with few members is not made to hold more than twice its part.
 *
 * A region `area/place` is in an area; two places of one area are nearer to each other than two of different ones, and areas have a cap of their own.
 */
export interface Spread {
  /** Of the first k places a region has at most ceil(k x this), as a fraction. */
  readonly region: Share
  readonly area: Share
}

type Share = readonly [of: number, outOf: number]

/** No more than every second copy in one region. */
export const HALVES: Spread = { region: [1, 2], area: [1, 1] }
/** A third of the copies in one region, two thirds in one area. */
export const THIRDS: Spread = { region: [1, 3], area: [2, 3] }

/** Candidates are looked at so many times as far as places are filled. */
export const SPREAD_WINDOW = 2

const areaOf = (region: string): string => region.split('/', 1)[0]!

/** The first `count` places of members that stand in the order of their costs, `SPREAD_WINDOW x count` of them. */
export function spreadOut<M extends { readonly region: string }>(
  inOrder: readonly M[],
  count: number,
  spread: Spread
): M[] {
  const left = [...inOrder]
  const chosen: M[] = []
  const regions = new Map<string, number>()
  const areas = new Map<string, number>()
  while (chosen.length < count && left.length > 0) {
    const k = chosen.length + 1
    const reach = SPREAD_WINDOW * k - chosen.length
    const fits = ({ region }: M): boolean =>
      (regions.get(region) ?? 0) < capAt(k, spread.region) &&
      (areas.get(areaOf(region)) ?? 0) < capAt(k, spread.area)
    const at = Math.max(0, left.slice(0, reach).findIndex(fits))
    const [member] = left.splice(at, 1)
    chosen.push(member!)
    increment(regions, member!.region)
    increment(areas, areaOf(member!.region))
  }
  return chosen
}

const capAt = (k: number, [of, outOf]: Share): number => Math.ceil((k * of) / outOf)

function increment(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
