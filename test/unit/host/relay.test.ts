import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, test } from 'vitest'
import { autonatService } from '../../../node/host/autonat.ts'
import type { Host } from '../../../node/host/index.ts'
import { drained, pull } from '../../../protocols/index.ts'
import { openConnection } from '../../../protocols/wire/connection.ts'
import { addressOf, cleanUpAfterEachTest, newKey, startHost } from './hosts.ts'

cleanUpAfterEachTest()

const MIB = 1024 * 1024
const SERVE = { maxReservations: 4, dataLimitBytes: 256 * MIB, durationLimitMs: 60_000 }

/** A relay, a host that listens on it, and the address of that host behind the relay. */
async function relayed(serve = SERVE): Promise<{ relay: Host; target: Host; address: string }> {
  const relay = await startHost({ relay: { use: false, serve } })
  const target = await startHost({ listen: [] })
  await target.connect(addressOf(relay))
  const { components } = target.libp2p as unknown as {
    components: { transportManager: { listen(addresses: unknown[]): Promise<void> } }
  }
  await components.transportManager.listen([multiaddr(`/p2p/${relay.peerId}/p2p-circuit`)])
  return { relay, target, address: `${addressOf(relay)}/p2p-circuit/p2p/${target.peerId}` }
}

describe('a relay', () => {
  test('carries a connection, which is limited; a stream for protocols that allow it opens on it', async () => {
    const { target, address } = await relayed()
    const dialler = await startHost({ listen: [] })
    expect(await dialler.connect(address)).toMatchObject({ peerId: target.peerId, addresses: [address] })
    const connection = openConnection(dialler.libp2p, target.libp2p.peerId) as Connection
    expect(connection.limits).toBeDefined()
    await target.libp2p.handle('/echo/1', stream => void stream.close(), { runOnLimitedConnection: true })
    await expect(connection.newStream('/echo/1')).rejects.toThrow()
    await connection.newStream('/echo/1', { runOnLimitedConnection: true })
  })

  test('holds a fast sender up when the reader is slow', async () => {
    const { target, address } = await relayed()
    const dialler = await startHost({ listen: [] })
    await dialler.connect(address)
    const total = 64 * MIB
    let sent = 0
    await target.libp2p.handle(
      '/bulk/1',
      async stream => {
        for (; sent < total; sent += MIB) {
          await drained(stream)
          stream.send(new Uint8Array(MIB))
        }
        await stream.close()
      },
      { runOnLimitedConnection: true }
    )
    const connection = openConnection(dialler.libp2p, target.libp2p.peerId) as Connection
    const stream = await connection.newStream('/bulk/1', { runOnLimitedConnection: true })
    // The connection itself is not read, as by a peer that asks and does not read.
    const carrier = dialler.libp2p
      .getConnections()
      .flatMap(({ streams }) => streams)
      .find(({ protocol }) => protocol.includes('/hop')) as Stream
    carrier.pause()
    let seen = -1
    await expect
      .poll(
        () => {
          const isSame = sent === seen && sent > 0
          seen = sent
          return isSame
        },
        { interval: 500, timeout: 10_000 }
      )
      .toBe(true)
    expect(sent).toBeLessThan(total)
    carrier.resume()
    let bytes = 0
    for await (const part of pull(stream)) bytes += part.byteLength
    expect(bytes).toBe(total)
  })

  test('cuts at its data limit', async () => {
    const { target, address } = await relayed({ ...SERVE, dataLimitBytes: 2 * MIB })
    const dialler = await startHost({ listen: [] })
    await dialler.connect(address)
    await target.libp2p.handle(
      '/bulk/1',
      async stream => {
        for (let i = 0; i < 8; i++) {
          await drained(stream)
          stream.send(new Uint8Array(MIB))
        }
      },
      { runOnLimitedConnection: true }
    )
    const connection = openConnection(dialler.libp2p, target.libp2p.peerId) as Connection
    const stream = await connection.newStream('/bulk/1', { runOnLimitedConnection: true })
    const readAll = async (): Promise<void> => {
      for await (const _ of pull(stream));
    }
    await expect(readAll()).rejects.toThrow()
    await expect.poll(() => dialler.libp2p.getConnections(target.libp2p.peerId)).toEqual([])
  })

  test('refuses a denied peer on the way to this node', async () => {
    const dialler = await startHost({ listen: [] })
    const { relay } = await relayed()
    const target = await startHost({ listen: [], deny: [dialler.peerId] })
    await target.connect(addressOf(relay))
    const { components } = target.libp2p as unknown as {
      components: { transportManager: { listen(addresses: unknown[]): Promise<void> } }
    }
    await components.transportManager.listen([multiaddr(`/p2p/${relay.peerId}/p2p-circuit`)])
    await expect(
      dialler.connect(`${addressOf(relay)}/p2p-circuit/p2p/${target.peerId}`)
    ).rejects.toMatchObject({ code: 'DIAL_FAILED' })
  })

  test('gives way to a direct connection when there can be one', async () => {
    const { target, address } = await relayed()
    const dialler = await startHost()
    await dialler.connect(address)
    await expect
      .poll(() => target.libp2p.getConnections(dialler.libp2p.peerId).map(({ limits }) => limits), {
        timeout: 10_000
      })
      .toEqual([undefined])
  })

  test('is no address without both peers', async () => {
    const host = await startHost()
    const { peerId } = await newKey()
    for (const address of [`/p2p-circuit/p2p/${peerId}`, `${addressOf(host)}/p2p-circuit`])
      await expect(host.connect(address)).rejects.toMatchObject({ code: 'PEER_ADDRESS_INVALID' })
  })
})

test('AutoNAT dials back by a connection of its own', async () => {
  const asked: unknown[] = []
  const components = {
    logger: { forComponent: () => () => {} },
    connectionManager: {
      openConnection: async (...args: unknown[]) => {
        asked.push(args)
      }
    }
  }
  const service = autonatService('catalog/main')(components as never) as {
    components: { connectionManager: { openConnection(...args: unknown[]): Promise<void> } }
  }
  await service.components.connectionManager.openConnection('there', { priority: 1 })
  expect(asked).toEqual([['there', { priority: 1, force: true }]])
})
