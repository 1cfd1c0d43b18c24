import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { silentLogger, systemClock } from '../../../base/index.ts'
import { createHost } from '../../../node/host/index.ts'
import { LOOPBACK_OPTIONS } from './options.ts'

/** Two hosts meet and stop. The process must then end by itself: no timer, socket or thread may hold it. */
process.on('unhandledRejection', () => process.exit(2))
const folder = await mkdtemp(join(tmpdir(), 'catalog-host-'))
const hosts = await Promise.all(
  ['a', 'b'].map(async name =>
    createHost(
      {
        privateKey: await generateKeyPair('Ed25519'),
        peersFolder: join(folder, name),
        log: silentLogger,
        clock: systemClock
      },
      LOOPBACK_OPTIONS
    )
  )
)
const [a, b] = hosts
await b?.connect(a?.addresses()[0] ?? '')
a?.keep('/ip4/127.0.0.1/udp/9/quic-v1')
for (const host of hosts) await host.stop()
await rm(folder, { recursive: true })
process.disconnect()
