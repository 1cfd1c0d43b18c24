/** What nodes tell each other of mirroring, over real QUIC. */
import { expect, test } from 'vitest'
import { DAY_MS, HOUR_MS, silentLogger, systemClock } from '../../../base/index.ts'
import { signMember } from '../../../mirror/index.ts'
import { KnownMembers } from '../../../node/services/mirroring/known-members.ts'
import { MemberSpreading } from '../../../node/services/mirroring/member-spreading.ts'
import { createControl } from '../../../protocols/index.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { introduce, withNodes } from '../protocols/nodes.ts'
import { keyOf } from '../records/examples.ts'

test('two nodes make their members equal, more than one message holds', async () => {
  await withNodes(2, async ([first, second]) => {
    const sides = await Promise.all(
      [first!, second!].map(async libp2p => {
        const modules = { clock: systemClock, log: silentLogger, logger: silentLogger }
        const control = createControl({ libp2p, ...modules }, { networkId: 'test', agent: 'test/1' })
        await control.start()
        const known = await KnownMembers.open({ ...modules, database: new MemoryDatabase() })
        const spreading = new MemberSpreading({
          ...{ ...modules, control, known },
          connected: () => libp2p.getPeers(),
          peerId: libp2p.peerId.toString(),
          originOf: peerId => peerId.toString(),
          onViolation: (_, error) => {
            throw error
          },
          onTaken: () => undefined,
          random: Math.random
        })
        return { control, known, spreading }
      })
    )
    const [a, b] = sides
    const sequence = Date.now() - HOUR_MS
    for (let at = 0; at < 700; at++) {
      const statement = { region: 'eu', capacityClass: 3, sequence, expires: sequence + DAY_MS }
      const record = signMember(statement, keyOf(`member ${at}`))
      if (at % 100 !== 0) b!.known.take(record)
      if (at >= 650 || at % 100 === 0) a!.known.take(record)
    }
    await a!.spreading.compare(await introduce(first!, second!), AbortSignal.timeout(20_000))
    for (const { known } of sides) {
      known.refresh()
      expect(known.members()).toHaveLength(700)
    }
    await Promise.all(sides.map(({ control }) => control.stop()))
  })
})
