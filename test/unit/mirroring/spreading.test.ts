/** Records of members between nodes: whatever two know, one comparison makes it equal, and no liar takes more than its part. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CatalogError, DAY_MS, HOUR_MS, MINUTE_MS, silentLogger } from '../../../base/index.ts'
import { decodeMember, type MemberRecord, signMember } from '../../../mirror/index.ts'
import { KnownMembers, memberKeyOf } from '../../../node/services/mirroring/known-members.ts'
import { NEW_NODE_RATE } from '../../../node/services/mirroring/member-intake.ts'
import { MemberSpreading } from '../../../node/services/mirroring/member-spreading.ts'
import { exchangeMembers, sketchMembers } from '../../../protocols/index.ts'
import type { SigningKey } from '../../../trust/index.ts'
import { FakeClock } from '../discovery/fake-clock.ts'
import { MemoryDatabase } from '../discovery/memory-database.ts'
import { keyOf } from '../records/examples.ts'
import { ControlNet } from './control-net.ts'

const { signal } = new AbortController()

/** Made once: a signature takes 0.1 ms, and what two nodes know is cut out of these. */
const START_MS = new FakeClock().now()
const keys = Array.from({ length: 3000 }, (_, at) => keyOf(`member ${at}`))
const made = new Map<string, MemberRecord>()
function recordOf(at: number, sequence = START_MS - HOUR_MS, lifetimeMs = DAY_MS): MemberRecord {
  const name = `${at} ${sequence} ${lifetimeMs}`
  const record =
    made.get(name) ??
    signMember({ region: 'eu', capacityClass: at % 4, sequence, expires: sequence + lifetimeMs }, keys[at]!)
  made.set(name, record)
  return record
}

interface Node {
  known: KnownMembers
  spreading: MemberSpreading
  peerId: ReturnType<ControlNet['join']>['peerId']
  control: ReturnType<ControlNet['join']>['control']
  violations: string[]
}

async function nodeOf(
  net: ControlNet,
  name: string,
  { clock = new FakeClock(), origin }: { clock?: FakeClock; origin?: string } = {}
): Promise<Node> {
  const key: SigningKey = keyOf(name)
  const { control, peerId, connected } = net.join(key)
  const known = await KnownMembers.open({ database: new MemoryDatabase(), clock, logger: silentLogger })
  const violations: string[] = []
  let seed = 1 + (Buffer.from(key.publicKey).readUInt32BE() % 2147483646)
  const spreading = new MemberSpreading({
    control,
    known,
    connected,
    peerId: peerId.toString(),
    originOf: from => origin ?? from.toString(),
    onViolation: (_, { code }: CatalogError) => void violations.push(code),
    onTaken: () => void known.refresh(),
    clock,
    logger: silentLogger,
    random: () => {
      seed = (seed * 16807) % 2147483647
      return seed / 2147483647
    }
  })
  return { known, spreading, peerId, control, violations }
}

const textOf = ({ known }: Node): string[] => {
  known.refresh()
  return known
    .members()
    .map(({ key, capacityClass }) => `${Buffer.from(key).toString('hex')} ${capacityClass}`)
}

describe('a comparison', () => {
  test('makes both nodes equal, whatever each knows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(299), fc.constantFrom('mine', 'theirs', 'both'), fc.nat(3)), {
          maxLength: 300
        }),
        async entries => {
          const net = new ControlNet()
          const [a, b] = [await nodeOf(net, 'a'), await nodeOf(net, 'b')]
          for (const [at, where, hours] of entries) {
            // An hour later the same node has signed again, or left.
            const record = recordOf(at, START_MS - hours * HOUR_MS, hours === 2 ? 1 : DAY_MS)
            if (where !== 'theirs') a.known.take(record)
            if (where !== 'mine') b.known.take(record)
          }
          await a.spreading.compare(b.peerId, signal)
          expect(textOf(a)).toEqual(textOf(b))
          expect(a.known.size).toBe(b.known.size)
          for (const [at] of entries)
            expect(a.known.get(keys[at]!.publicKey)?.bytes).toEqual(b.known.get(keys[at]!.publicKey)?.bytes)
          expect([...a.violations, ...b.violations]).toEqual([])
          net.asked.length = 0
          await b.spreading.compare(a.peerId, signal)
          expect(net.asked, 'nothing is left to be asked for').toEqual([sketchMembers.name])
        }
      ),
      { numRuns: 40 }
    )
  })

  test('costs little where thousands are equal, and by the difference where they are not', async () => {
    const net = new ControlNet()
    const [a, b] = [await nodeOf(net, 'a'), await nodeOf(net, 'b')]
    for (let at = 0; at < 2900; at++) for (const { known } of [a, b]) known.take(recordOf(at))
    await a.spreading.compare(b.peerId, signal)
    expect(net.bytes).toBeLessThan(2048)
    expect(net.asked).toEqual(['members.sketch'])
    for (let at = 2900; at < 3000; at++) (at % 2 === 0 ? a : b).known.take(recordOf(at))
    net.bytes = 0
    await a.spreading.compare(b.peerId, signal)
    const records = 100 * recordOf(0).bytes.byteLength
    expect(net.bytes - records).toBeLessThan(100 * 100)
    expect(textOf(a)).toEqual(textOf(b))
    expect(textOf(a)).toHaveLength(3000)
  })

  test('brings a node that begins as many nodes as one network may bring, and the rest later', async () => {
    const net = new ControlNet()
    const clock = new FakeClock()
    const [a, b] = [await nodeOf(net, 'a', { clock }), await nodeOf(net, 'b', { clock })]
    for (let at = 0; at < 1500; at++) b.known.take(recordOf(at))
    await a.spreading.compare(b.peerId, signal)
    expect(a.known.size).toBe(NEW_NODE_RATE.burst)
    await clock.advance(HOUR_MS)
    await a.spreading.compare(b.peerId, signal)
    expect(a.known.size).toBe(1500)
    expect([...a.violations, ...b.violations]).toEqual([])
  })
})

describe('a hostile peer', () => {
  const tell = (from: Node, to: Node, records: Uint8Array[]): Promise<unknown> =>
    from.control.request(to.peerId, exchangeMembers, { records })

  test('with forged and broken records is reported, and what came before them counts', async () => {
    const net = new ControlNet()
    const [liar, honest] = [await nodeOf(net, 'liar'), await nodeOf(net, 'honest')]
    const forged = Uint8Array.from(recordOf(1).bytes)
    forged[forged.byteLength - 1]! ^= 1
    await expect(tell(liar, honest, [recordOf(0).bytes, forged, recordOf(2).bytes])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      details: { remoteCode: 'SIGNATURE_INVALID' }
    })
    await expect(tell(liar, honest, [Uint8Array.of(1, 2, 3)])).rejects.toThrow()
    expect(honest.violations).toEqual(['SIGNATURE_INVALID', 'MEMBER_INVALID'])
    expect(honest.known.size).toBe(1)
  })

  test('cannot bring back who left, or one of tomorrow', async () => {
    const net = new ControlNet()
    const [liar, honest] = [await nodeOf(net, 'liar'), await nodeOf(net, 'honest')]
    await tell(liar, honest, [recordOf(0, START_MS, 1).bytes])
    await tell(liar, honest, [recordOf(0, START_MS - MINUTE_MS).bytes, recordOf(1, START_MS + HOUR_MS).bytes])
    expect(honest.known.size).toBe(1)
    honest.known.refresh()
    expect(honest.known.members().length).toBeLessThanOrEqual(1)
    expect(honest.violations).toEqual([])
  })

  test('with thousands of keys is refused when its network has brought its part, whoever it says that it is', async () => {
    const net = new ControlNet()
    const clock = new FakeClock()
    const honest = await nodeOf(net, 'honest', { clock, origin: 'one network' })
    let refused = 0
    for (let first = 0; first < 2048; first += 512) {
      const liar = await nodeOf(net, `liar ${first}`, { clock })
      const records = Array.from({ length: 512 }, (_, at) => recordOf(first + at).bytes)
      await tell(liar, honest, records).catch(error => {
        expect(error).toMatchObject({ code: 'BUSY' })
        refused++
      })
    }
    expect(honest.known.size).toBe(NEW_NODE_RATE.burst)
    expect(refused).toBe(2)
    // A newer record of a node that is known is taken all the same.
    const liar = await nodeOf(net, 'last', { clock })
    await tell(liar, honest, [recordOf(0, START_MS).bytes])
    expect(honest.known.get(keys[0]!.publicKey)?.sequence).toBe(START_MS)
  })

  test('cannot have more signatures verified than its rate', async () => {
    const net = new ControlNet()
    const [liar, honest] = [await nodeOf(net, 'liar'), await nodeOf(net, 'honest')]
    for (let at = 0; at < 3; at++) honest.known.take(recordOf(at, START_MS))
    // Old ones: each has to be verified before that shows.
    let asked = 0
    await expect(
      (async () => {
        for (let age = 1; ; age++, asked++)
          await tell(
            liar,
            honest,
            Array.from({ length: 512 }, () => recordOf(age % 3, START_MS - age).bytes)
          )
      })()
    ).rejects.toMatchObject({ code: 'BUSY' })
    expect(asked).toBe(4)
    // What is here already costs nothing.
    await tell(liar, honest, [recordOf(0, START_MS).bytes])
  })

  test.each([
    [
      'a sketch that cannot be',
      sketchMembers,
      { records: 7, cells: new Uint8Array(16), counts: Uint8Array.of(1) }
    ],
    ['a record that was not asked for', exchangeMembers, { records: [recordOf(9).bytes] }]
  ] as const)('that answers with %s is reported, and nothing is taken', async (_, type, lie) => {
    const net = new ControlNet()
    const [honest, liar] = [await nodeOf(net, 'honest'), await nodeOf(net, 'liar')]
    liar.known.take(recordOf(1))
    liar.control.handle(type as never, () => lie as never)
    await expect(honest.spreading.compare(liar.peerId, signal)).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION'
    })
    expect(honest.violations).toEqual(['PROTOCOL_VIOLATION'])
    expect(honest.known.size).toBe(0)
  })

  test('that comes again and again keeps nobody else waiting who has come', async () => {
    const net = new ControlNet()
    const clock = new FakeClock()
    const nodes = await Promise.all(
      Array.from({ length: 3 }, (_, at) => nodeOf(net, `node ${at}`, { clock }))
    )
    // Of two that meet the one with the smaller id begins.
    nodes.sort((a, b) => (a.peerId.toString() < b.peerId.toString() ? -1 : 1))
    const [first, restless, other] = nodes
    first!.spreading.start()
    await clock.advance(100)
    other!.known.take(recordOf(1))
    for (const { peerId } of [restless!, other!]) first!.spreading.met(peerId)
    for (let second = 0; second < 5; second++) {
      await clock.advance(1000)
      first!.spreading.met(restless!.peerId)
    }
    expect(first!.known.size).toBe(1)
    await first!.spreading.stop()
  })

  test('that shows records which it does not have costs a question', async () => {
    const net = new ControlNet()
    const [honest, liar] = [await nodeOf(net, 'honest'), await nodeOf(net, 'liar')]
    for (let at = 0; at < 40; at++) liar.known.take(recordOf(at))
    liar.control.handle(exchangeMembers, () => ({ records: [] }))
    await honest.spreading.compare(liar.peerId, signal)
    expect(net.asked.filter(name => name === exchangeMembers.name)).toHaveLength(1)
    expect(honest.known.size).toBe(0)
  })
})

describe('a rumour', () => {
  test('reaches all, is told on once by each, and old news is told to nobody', async () => {
    const net = new ControlNet()
    const clock = new FakeClock()
    const nodes = await Promise.all(
      Array.from({ length: 12 }, (_, at) => nodeOf(net, `node ${at}`, { clock }))
    )
    for (const { spreading } of nodes) spreading.start()
    await clock.advance(5000)
    net.asked.length = 0
    const [fresh, old] = [recordOf(0, START_MS), recordOf(1, START_MS - HOUR_MS)]
    for (const record of [fresh, old]) {
      nodes[0]!.known.take(record)
      nodes[0]!.spreading.tell(record)
    }
    await clock.advance(10_000)
    const has = (node: Uint8Array): number =>
      nodes.filter(({ known }) => known.get(node) !== undefined).length
    // One of them may be missed by chance, until it compares.
    expect(has(fresh.node)).toBeGreaterThan(10)
    expect(has(old.node)).toBe(1)
    expect(net.asked.length).toBeLessThanOrEqual(12 * 4)
    await Promise.all(nodes.map(({ spreading }) => spreading.stop()))
  })

  test('that was missed comes with a comparison, by chance or when two meet', async () => {
    const net = new ControlNet()
    const clock = new FakeClock()
    const nodes = await Promise.all(
      Array.from({ length: 3 }, (_, at) => nodeOf(net, `node ${at}`, { clock }))
    )
    nodes[0]!.known.take(recordOf(1))
    for (const { spreading } of nodes) spreading.start()
    await clock.advance(10 * MINUTE_MS)
    expect(nodes.map(({ known }) => known.size)).toEqual([1, 1, 1])
    await Promise.all(nodes.map(({ spreading }) => spreading.stop()))
  })
})

test('what is compared has ended when comparisons have been stopped', async () => {
  const net = new ControlNet()
  const clock = new FakeClock()
  const [node, slow] = [await nodeOf(net, 'node', { clock }), await nodeOf(net, 'slow', { clock })]
  const answer = Promise.withResolvers<void>()
  let isAsked = false
  slow.control.handle(sketchMembers, async () => {
    isAsked = true
    await answer.promise
    return { records: 0, cells: new Uint8Array(), counts: new Uint8Array() }
  })
  node.spreading.start()
  await clock.advance(1000)
  expect(isAsked).toBe(true)
  let isStopped = false
  const stopped = node.spreading.stop().then(() => {
    isStopped = true
  })
  await clock.settle()
  expect(isStopped).toBe(false)
  answer.resolve()
  await stopped
})

test('records outlive a restart, without those that are forgotten, and damaged rows are left out', async () => {
  const database = new MemoryDatabase()
  const clock = new FakeClock()
  const modules = { database, clock, logger: silentLogger }
  const first = await KnownMembers.open(modules)
  for (let at = 0; at < 5; at++) first.take(recordOf(at))
  await first.save({ sync: false })
  const [row] = database.rows.keys()
  database.rows.set(row!, Uint8Array.of(1))
  const second = await KnownMembers.open(modules)
  expect(second.size).toBe(4)
  expect(second.members()).toHaveLength(4)
  await second.save({ sync: false })
  expect(database.rows.size).toBe(4)
  await clock.advance(8 * DAY_MS)
  expect(second.refresh()).toBe(true)
  expect([second.size, second.sketch.count[0]]).toEqual([0, 0])
  await second.save({ sync: false })
  expect(database.rows.size).toBe(0)
  expect(decodeMember(recordOf(0).bytes).sequence).toBe(START_MS - HOUR_MS)
  expect(memberKeyOf(keys[0]!.publicKey)).toHaveLength(8)
})
