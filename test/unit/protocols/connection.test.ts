import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test } from 'vitest'
import { connectionTo } from '../../../protocols/index.ts'
import { openConnection } from '../../../protocols/wire/connection.ts'
import { eventually } from '../../eventually.ts'
import { introduce, withNodes } from './nodes.ts'

test('a peer that comes by itself is not waited for where it is no more', async () => {
  const silent = createSocket('udp4').bind(0, '127.0.0.1')
  await once(silent, 'listening')
  try {
    await withNodes(2, async ([a, b]) => {
      const gone = multiaddr(`/ip4/127.0.0.1/udp/${silent.address().port}/quic-v1`)
      await a!.peerStore.merge(b!.peerId, { multiaddrs: [gone] })
      const knocked = once(silent, 'message')
      const connecting = connectionTo(a!, b!.peerId, { signal: AbortSignal.timeout(20_000) })
      await knocked
      await introduce(b!, a!)
      await b!.dial(a!.peerId)
      expect(await connecting).toMatchObject({ direction: 'inbound', status: 'open' })
    })
  } finally {
    silent.close()
  }
})

test('the newest of several connections is used, and a connection is dialled only when there is none', async () => {
  await withNodes(2, async ([a, b]) => {
    await introduce(a!, b!)
    const first = await connectionTo(a!, b!.peerId, {})
    expect(await connectionTo(a!, b!.peerId, {})).toBe(first)
    const second = await a!.dial(b!.peerId, { force: true })
    expect(openConnection(a!, b!.peerId)?.id).toBe(second.id)
    await second.close()
    await eventually(() => a!.getConnections(b!.peerId).length === 1)
    expect(openConnection(a!, b!.peerId)?.id).toBe(first.id)
  })
})
