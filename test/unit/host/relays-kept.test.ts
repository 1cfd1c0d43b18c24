import { base58btc } from 'multiformats/bases/base58'
import { expect, it } from 'vitest'
import { type Clock, MINUTE_MS, SECOND_MS, silentLogger, systemClock } from '../../../base/index.ts'
import { Relays } from '../../../node/host/relays.ts'
import { ManualClock } from '../protocols/manual-clock.ts'

const HOP = '/libp2p/circuit/relay/0.2.0/hop'
const peer = (id: string) => ({ toString: () => id })

/** A libp2p in which relay after relay agrees, and goes away again. */
function setUp(clock: Clock = systemClock) {
  const listeners = new Map<string, (event: { detail: unknown }) => void>()
  const listened: string[] = []
  const asked: string[] = []
  let connected: string[] = []
  let refuses = false
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
        listen: async ([address]: unknown[]) => {
          listened.push(String(address))
          if (refuses) throw new Error('no room')
        }
      }
    }
  }
  const relays = new Relays({ libp2p: libp2p as never, clock, log: silentLogger, random: () => 1 })
  const refuse = (isSo: boolean): void => {
    refuses = isSo
  }
  const comes = async (id: string): Promise<void> => {
    connected = [id]
    listeners.get('peer:identify')!({ detail: { protocols: [HOP], peerId: peer(id) } })
    await relays.seek()
    listeners.get('peer:disconnect')!({ detail: peer(id) })
  }
  return { comes, listened, asked, refuse }
}

const relayId = (i: number): string =>
  base58btc.encode(Uint8Array.of(0x12, 0x20, ...new Uint8Array(31), i)).slice(1)

it('asks a relay that refused again soon, then later and later, and begins anew once it has agreed', async () => {
  const clock = new ManualClock()
  const { comes, listened, asked, refuse } = setUp(clock)
  const id = relayId(1)
  refuse(true)
  for (const waitMs of [
    SECOND_MS,
    4 * SECOND_MS,
    16 * SECOND_MS,
    64 * SECOND_MS,
    256 * SECOND_MS,
    10 * MINUTE_MS
  ]) {
    const before = listened.length
    await comes(id)
    await comes(id)
    expect(listened.length - before, 'not at once').toBe(1)
    await clock.advance(waitMs - 1, waitMs)
    await comes(id)
    expect(listened.length - before, `not before ${waitMs} ms`).toBe(1)
    await clock.advance(1)
  }
  refuse(false)
  await comes(id)
  await comes(id)
  expect(asked, 'it is asked at once after it has agreed').toEqual([id])
})

it('keeps no more listeners than it may, and asks those that agreed before again', async () => {
  const { comes, listened, asked } = setUp()
  const ids = Array.from({ length: 203 }, (_, i) => relayId(i))
  for (const id of ids) await comes(id)
  expect([listened.length, asked.length]).toEqual([200, 0])
  await comes(ids[7]!)
  await comes(ids[202]!)
  expect(asked).toEqual([ids[7]])
  expect(listened).toHaveLength(200)
})
