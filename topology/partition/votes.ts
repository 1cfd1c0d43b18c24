/**
 * What others say of peers that were lost here. An answer is one peer's word, and peers lie: some to have a partition seen where none is, some
 * to hide one. So each peer that was lost is judged by the majority, and probers of one public network have one vote together.
 */
import type { ProbeVerdict } from '../../protocols/index.ts'

/** What one prober says. */
export interface Vote {
  /** Its public network; its id where it has none. */
  readonly network: string
  readonly verdicts: ReadonlyMap<string, ProbeVerdict>
}

export interface Judgement {
  /** Peers that others reach. */
  readonly reached: readonly string[]
  /** Peers that others miss as well. */
  readonly silent: readonly string[]
  /** Votes that said something of one of them. */
  readonly votes: number
}

export function judge(votes: readonly Vote[]): Judgement {
  const networks = [...Map.groupBy(votes, ({ network }) => network).values()]
  const asked = new Set(votes.flatMap(({ verdicts }) => [...verdicts.keys()]))
  const of = new Map(
    [...asked].map(peerId => [peerId, majority(networks.map(some => majority(wordsOn(peerId, some))))])
  )
  const saying = (verdict: ProbeVerdict): string[] => [...asked].filter(peerId => of.get(peerId) === verdict)
  const heard = networks.filter(some =>
    [...asked].some(peerId => majority(wordsOn(peerId, some)) !== 'unknown')
  )
  return { reached: saying('reached'), silent: saying('silent'), votes: heard.length }
}

const wordsOn = (peerId: string, votes: readonly Vote[]): ProbeVerdict[] =>
  votes.map(({ verdicts }) => verdicts.get(peerId) ?? 'unknown')

/** Of those who know; unknown when as many say one thing as the other. */
function majority(words: readonly ProbeVerdict[]): ProbeVerdict {
  const count = (word: ProbeVerdict): number => words.filter(other => other === word).length
  const lead = count('reached') - count('silent')
  return lead === 0 ? 'unknown' : lead > 0 ? 'reached' : 'silent'
}
