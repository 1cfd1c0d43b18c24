/** Asks some of the peers that are left whether they reach those that were lost. */
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { type Clock, type Logger, SECOND_MS, toCatalogError } from '../../base/index.ts'
import { askProbe, type Control, MAX_PROBED } from '../../protocols/index.ts'
import {
  type Judgement,
  judge,
  type LostPeer,
  regionKey,
  spread,
  type Topology,
  type Vote
} from '../../topology/index.ts'
import type { Host } from '../host/index.ts'
import { networkOfPeer } from '../peer-network.ts'

/** As SWIM does: with three, two that tell the truth outvote one that lies. */
const PROBERS = 3
/** Peers that were heard so lately are left; the others may be lost as well, and not have been missed yet. */
const HEARD_MS = 5 * SECOND_MS

export interface ProbingModules {
  readonly host: Pick<Host, 'libp2p' | 'peers'>
  readonly control: Pick<Control, 'request' | 'heardMs'>
  readonly topology: Pick<Topology, 'views'>
  readonly clock: Clock
  readonly logger: Logger
  readonly random: () => number
}

/** What they say; undefined when nobody answers. Who does not has no vote. */
export async function probeLost(
  modules: ProbingModules,
  lost: readonly LostPeer[],
  signal: AbortSignal
): Promise<Judgement | undefined> {
  const asked = chosen(modules, lost, MAX_PROBED).map(peerId => peerIdFromString(peerId))
  const probers = chosen(modules, left(modules), PROBERS)
  const said = await Promise.all(probers.map(prober => voteOf(modules, prober, asked, signal)))
  const votes = said.filter(vote => vote !== undefined)
  const judgement = judge(votes)
  const { reached, silent } = judgement
  modules.logger.info(
    { asked: asked.length, probers, answers: votes.length, reached, silent },
    'others were asked whether they reach peers that were lost here'
  )
  return votes.length === 0 ? undefined : judgement
}

function left({ host, control, clock }: ProbingModules): LostPeer[] {
  const nowMs = clock.monotonicMs()
  const isHeard = (peerId: string): boolean =>
    nowMs - (control.heardMs(peerIdFromString(peerId)) ?? Number.NEGATIVE_INFINITY) <= HEARD_MS
  const peers = host.peers().map(({ peerId }) => peerId)
  const heard = peers.filter(isHeard)
  return (heard.length > 0 ? heard : peers).map(peerId => ({
    peerId,
    network: networkOfPeer(host, peerId) || peerId
  }))
}

function chosen({ topology, random }: ProbingModules, peers: readonly LostPeer[], count: number): string[] {
  const regions = topology.views(peers.map(({ peerId }) => peerId)).map(({ region }) => regionKey(region))
  return spread(
    peers.map((peer, at) => ({ ...peer, region: regions[at]! })),
    count,
    random
  )
}

/** Never rejects. */
async function voteOf(
  { host, control, logger }: ProbingModules,
  prober: string,
  asked: readonly PeerId[],
  signal: AbortSignal
): Promise<Vote | undefined> {
  try {
    const said = await askProbe(control, peerIdFromString(prober), asked, signal)
    const verdicts = new Map(said.map(({ verdict }, at) => [asked[at]!.toString(), verdict]))
    return { network: networkOfPeer(host, prober) || prober, verdicts }
  } catch (thrown) {
    logger.debug({ peer: prober, code: toCatalogError(thrown).code }, 'a peer could not be asked for others')
    return undefined
  }
}
