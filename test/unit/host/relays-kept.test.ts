import { base58btc } from 'multiformats/bases/base58'
import { expect, it } from 'vitest'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { Relays } from '../../../node/host/relays.ts'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const peer = (id: string) => ({ toString: () => id })

/** A libp2p in which relay after relay agrees, and goes away again. */
function setUp() {
  const listeners = new Map<string, (event: { detail: unknown }) => void>()
  const listened: string[] = []
  const asked: string[] = []
  let connected: string[] = []
  const reservationStore = {
    reservationCount: () => 0,
    hasReservation: () => false,
    addRelay: async (relay: { toString(): string }) => void asked.push(relay.toString())
  }
  const libp2p = {
    addEventListener: (type: string, listener: (event: { detail: unknown }) => void) =>
      listeners.set(type, listener),
    getConnections: () =>
      connected.map(id => ({
        remotePeer: peer(id),
        direction: 'outbound',
        remoteAddr: { getComponents: () => [], toString: () => '' }
      })),
    components: {
      transportManager: {
        getTransports: () => [{ reservationStore }],
        listen: async ([address]: unknown[]) => void listened.push(String(address))
      }
    }
  }
  const relays = new Relays({ libp2p: libp2p as never, clock: systemClock, log: silentLogger })
  const comes = async (id: string): Promise<void> => {
    connected = [id]
    listeners.get('peer:identify')!({ detail: { protocols: [HOP], peerId: peer(id) } })
    await relays.seek()
    listeners.get('peer:disconnect')!({ detail: peer(id) })
  }
  return { comes, listened, asked }
}

it('keeps no more listeners than it may, and asks those that agreed before again', async () => {
  const { comes, listened, asked } = setUp()
  const ids = Array.from({ length: 203 }, (_, i) => {
    const multihash = Uint8Array.of(0x12, 0x20, ...new Uint8Array(31), i)
    return base58btc.encode(multihash).slice(1)
  })
  for (const id of ids) await comes(id)
  expect([listened.length, asked.length]).toEqual([200, 0])
  await comes(ids[7]!)
  await comes(ids[202]!)
  expect(asked).toEqual([ids[7]])
  expect(listened).toHaveLength(200)
})
