import type { StreamMuxerFactory } from '@libp2p/interface'
import tests from '@libp2p/interface-compliance-tests/stream-muxer'
import { defaultLogger } from '@libp2p/logger'
import { DEFAULT_QUIC_STREAM_OPTIONS, QuicMuxer } from '../../protocols/quic/index.ts'
import { after, describe } from './mocha.ts'
import { type NativePair, nativePair, primed, StockMuxerFactory, type TestConnection } from './native.ts'

/**
 * Cannot pass over QUIC: the test delays the `drain` of the in-memory connection under the muxer and expects close() to time
 * out, but QUIC streams do not write through that connection. It fails on the stock muxer for the same reason, which the
 * last suite of this file shows; should it ever pass there, this exclusion must go.
 */
const EXCLUDED = 'should abort close due to timeout with slow sender'

/**
 * Expects two sends to arrive as two messages. QUIC carries bytes, not messages: when both have come before the reader listens
 * they are one (on the stock muxer nearly always). What the test is about, the order of closing, holds each time, so it is
 * repeated until the boundary survives.
 */
const COUNTS_MESSAGES = 'can close a stream for writing'

/** Gives the listener 50 ms to hear of five streams before it aborts them: repeated until the machine was fast enough. */
const GIVES_50_MS = 'calling abort aborts streams'
const TRIES = 20

type MakeMuxer = (native: TestConnection) => StreamMuxerFactory['createStreamMuxer']
const own: MakeMuxer = native => maConn => new QuicMuxer(maConn, native, DEFAULT_QUIC_STREAM_OPTIONS)
const stock: MakeMuxer = native => maConn =>
  new StockMuxerFactory({ connection: native, logger: defaultLogger() }).createStreamMuxer(maConn)

/** Defines libp2p's muxer suite; two calls of `setup` in a row get the two ends of one connection. */
function suite(make: MakeMuxer): void {
  const pairs: NativePair[] = []
  let otherEnd: TestConnection | undefined
  after(async () => {
    await Promise.all(pairs.map(pair => pair.close()))
  })
  const nextEnd = async (): Promise<TestConnection> => {
    const kept = otherEnd
    otherEnd = undefined
    if (kept !== undefined) return kept
    const pair = await nativePair()
    pairs.push(pair)
    otherEnd = pair.inbound
    return pair.outbound
  }
  tests({
    async setup() {
      const native = primed(await nextEnd())
      return {
        protocol: 'quic',
        createStreamMuxer(maConn) {
          void native.closed().then(() => maConn.abort(new Error('the QUIC connection closed')))
          maConn.addEventListener('close', () => native.abort())
          return make(native)(maConn)
        }
      }
    },
    async teardown() {}
  })
}

describe('QUIC decorator, muxer', function () {
  suite(own)
  this.eachTest(test => {
    test.pending ||= test.title === EXCLUDED
    if ([COUNTS_MESSAGES, GIVES_50_MS].includes(test.title)) test.retries(TRIES)
  })
})

describe('stock libp2p-quic, the excluded test', function () {
  suite(stock)
  this.eachTest(test => {
    const { fn, title } = test
    if (title !== EXCLUDED) {
      test.pending = true
      return
    }
    test.title = `fails here too: ${title}`
    // It gives close() 10 ms, which a busy machine may need for anything at all.
    test.retries(TRIES)
    test.fn = async function () {
      const failed = await Promise.resolve()
        .then(() => fn.call(this))
        .then(
          () => false,
          () => true
        )
      if (!failed) throw new Error('passes on stock now: run it on the decorator again')
    }
  })
})
