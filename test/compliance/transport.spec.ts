import tests from '@libp2p/interface-compliance-tests/transport'
import { QUIC_V1 } from '@multiformats/multiaddr-matcher'
import { quicTransport } from '../../protocols/quic/index.ts'
import { describe } from './mocha.ts'

/** libp2p's own suite for transports, against the decorator and against its optimistic form. */
const LISTEN = '/ip4/127.0.0.1/udp/0/quic-v1'

for (const isOptimistic of [false, true])
  describe(`QUIC decorator, ${isOptimistic ? 'optimistic' : 'usual'} negotiation`, () => {
    tests({
      async setup() {
        const dialer = {
          transports: [quicTransport({}, { optimisticSelect: () => isOptimistic })],
          connectionMonitor: { enabled: false }
        }
        return {
          dialer,
          listener: { ...dialer, addresses: { listen: [LISTEN, LISTEN] } },
          dialMultiaddrMatcher: QUIC_V1,
          listenMultiaddrMatcher: QUIC_V1
        }
      },
      async teardown() {}
    })
  })
