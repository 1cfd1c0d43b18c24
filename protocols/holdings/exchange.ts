import type { PeerId } from '@libp2p/interface'
import { CID } from 'multiformats/cid'
import { CatalogError, type Clock } from '../../base/index.ts'
import type { Control } from '../control/index.ts'
import { PeerRates } from '../exchange/peer-rates.ts'
import { timeOfNotHere } from '../wire/not-here.ts'
import {
  ASK_RATE,
  askHoldings,
  isBitSet,
  MAX_ASKED_CONTENTS,
  MAX_TOLD_CONTENTS,
  packBits,
  TELL_RATE,
  tellHoldings
} from './types.ts'

export interface HoldingsModules {
  readonly control: Pick<Control, 'request' | 'handle'>
  /** Whether this node holds a content for good and everybody may know; without looking anything up. */
  readonly holds: (content: CID) => boolean
  /** A peer says what it holds from now on, and what no more. */
  readonly onTold: (peerId: PeerId, told: HoldingsTold) => void
  readonly clock: Clock
}

export interface HoldingsTold {
  readonly held: readonly CID[]
  readonly gone: readonly CID[]
}

/** Claims between nodes: who says that it holds what. Nothing of it is believed here: whether it is so, a proof shows. */
export class HoldingsExchange {
  readonly #modules: HoldingsModules

  constructor(modules: HoldingsModules) {
    this.#modules = modules
    const { control, holds, onTold, clock } = modules
    const asks = new PeerRates(ASK_RATE, clock)
    const tells = new PeerRates(TELL_RATE, clock)
    control.handle(askHoldings, async ({ contents }, { peerId, signal }) => {
      const askedMs = clock.monotonicMs()
      asks.take(peerId.toString(), contents.length)
      const held = packBits(contents.map(content => holds(readCid(content))))
      // What is not told takes as long as what is not here, whatever there was to look at.
      await timeOfNotHere({ clock, askedMs }, signal)
      return { held }
    })
    control.handle(tellHoldings, async ({ held, gone }, { peerId }) => {
      tells.take(peerId.toString(), held.length + gone.length)
      onTold(peerId, { held: held.map(readCid), gone: gone.map(readCid) })
      return {}
    })
  }

  /** Those of some contents that a peer says it holds. Throws what the request fails of. */
  async ask(peerId: PeerId, contents: readonly CID[], signal: AbortSignal): Promise<CID[]> {
    const found: CID[] = []
    for (let from = 0; from < contents.length; from += MAX_ASKED_CONTENTS) {
      const part = contents.slice(from, from + MAX_ASKED_CONTENTS)
      const request = { contents: part.map(({ bytes }) => bytes) }
      const { held } = await this.#modules.control.request(peerId, askHoldings, request, { signal })
      found.push(...part.filter((_, at) => isBitSet(held, at)))
    }
    return found
  }

  /** Says what this node holds from now on, and what no more. Throws what the request fails of. */
  async tell(peerId: PeerId, { held, gone }: HoldingsTold, signal: AbortSignal): Promise<void> {
    for (let from = 0; from < Math.max(held.length, gone.length); from += MAX_TOLD_CONTENTS) {
      const part = (contents: readonly CID[]): Uint8Array[] =>
        contents.slice(from, from + MAX_TOLD_CONTENTS).map(({ bytes }) => bytes)
      await this.#modules.control.request(
        peerId,
        tellHoldings,
        { held: part(held), gone: part(gone) },
        { signal }
      )
    }
  }
}

function readCid(bytes: Uint8Array): CID {
  try {
    return CID.decode(Uint8Array.from(bytes))
  } catch (cause) {
    throw new CatalogError('PROTOCOL_VIOLATION', 'a content that is no CID', { cause })
  }
}
