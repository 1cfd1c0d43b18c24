import type { Attributes, Context, SpanKind } from '@opentelemetry/api'
import { type Sampler, SamplingDecision, type SamplingResult } from '@opentelemetry/sdk-trace'
import type { Clock } from '../../base/index.ts'
import { type PeerRate, PeerRates } from '../../protocols/index.ts'

/** Spans that one peer may have this node keep: its contexts say that they are sampled, and would fill the queue with what it asks. */
export const PEER_SPANS: PeerRate = { perSecond: 20, burst: 200 }

/** Keeps spans as a remote parent says, of each peer no more than so many. */
export class PeerSampler implements Sampler {
  readonly #rates: PeerRates

  constructor(modules: { clock: Clock }) {
    this.#rates = new PeerRates(PEER_SPANS, modules.clock)
  }

  shouldSample(
    _context: Context,
    _traceId: string,
    _name: string,
    _kind: SpanKind,
    attributes: Attributes
  ): SamplingResult {
    const peer = attributes['catalog.peer.id']
    // A client of the admin API is the operator's own.
    if (typeof peer !== 'string') return { decision: SamplingDecision.RECORD_AND_SAMPLED }
    try {
      this.#rates.take(peer, 1)
      return { decision: SamplingDecision.RECORD_AND_SAMPLED }
    } catch {
      return { decision: SamplingDecision.NOT_RECORD }
    }
  }

  toString(): string {
    return 'PeerSampler'
  }
}
