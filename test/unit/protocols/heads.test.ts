import { generateKeyPair } from '@libp2p/crypto/keys'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { beforeEach, describe, expect, test } from 'vitest'
import { CatalogError, silentLogger } from '../../../base/index.ts'
import type { Handler } from '../../../protocols/control/incoming.ts'
import { PeerRates } from '../../../protocols/exchange/peer-rates.ts'
import { HEAD_RATE, MAX_HEADS_PER_ANSWER, WATCH_RATE } from '../../../protocols/heads/types.ts'
import { type Control, HeadExchange, newHead, watchHeads } from '../../../protocols/index.ts'
import { NONE_HERE_MS, NOT_HERE_MS } from '../../../protocols/wire/not-here.ts'
import { ManualClock } from './manual-clock.ts'

const library = (number: number): Uint8Array => new Uint8Array(32).fill(number)
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()

let clock: ManualClock
let heads: Map<string, Uint8Array>
let unreadable: string | undefined
/** Of which nobody can say who may know of it. */
let unknowable: string | undefined
/** Libraries that the peer may not know of. */
let closed: Set<string>
let errors: number
/** How often all libraries were looked at, and heads were read. */
let looks: number
let reads: number
let connected: boolean
let asked: Array<{ method: number; message: unknown }>
let heard: string[]
let answer: () => unknown
// biome-ignore lint/suspicious/noExplicitAny: handlers of all types stand in one table
let handlers: Map<number, Handler<any, any>>
let peerId: PeerId
let exchange: HeadExchange

beforeEach(async () => {
  clock = new ManualClock()
  heads = new Map()
  unreadable = undefined
  unknowable = undefined
  closed = new Set()
  errors = looks = reads = 0
  connected = true
  asked = []
  heard = []
  handlers = new Map()
  answer = () => ({})
  peerId = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
  const control = {
    handle: (type: { method: number }, handler: never) => void handlers.set(type.method, handler),
    request: async (_: PeerId, { method }: { method: number }, message: unknown) => {
      asked.push({ method, message })
      return answer()
    }
  } as unknown as Pick<Control, 'request' | 'handle'>
  exchange = new HeadExchange({
    control,
    headOf: async id => {
      reads++
      if (text(id) === unreadable) throw new CatalogError('CONTENT_CORRUPT', 'the row cannot be read')
      return heads.get(text(id))
    },
    knownTo: async () => {
      looks++
      return [...heads.keys()].filter(id => !closed.has(id)).map(id => Buffer.from(id))
    },
    admits: async (_, id) => {
      if (text(id) === unknowable) throw new CatalogError('CONTENT_CORRUPT', 'the list cannot be read')
      return !closed.has(text(id))
    },
    isConnected: () => connected,
    onHead: async (_, head) => void heard.push(text(head)),
    clock,
    log: { ...silentLogger, error: () => void errors++ }
  })
})

const begin = (method: number, message: object): Promise<{ heads: Uint8Array[] }> =>
  handlers.get(method)!(message, { peerId, signal: new AbortController().signal }) as Promise<never>

/** Asks, and lets pass what time the answer takes. */
async function ask(method: number, message: object): Promise<{ heads: Uint8Array[] }> {
  const asking = { isOver: false }
  const answer = begin(method, message)
  const over = (): void => {
    asking.isOver = true
  }
  answer.then(over, over)
  while (!asking.isOver) await clock.advance(NOT_HERE_MS)
  return await answer
}

const set = (number: number, head: string): void => void heads.set(text(library(number)), Buffer.from(head))

async function look(): Promise<void> {
  await clock.advance(1000)
}

describe('who watches libraries', () => {
  test('gets their heads, and then each new one once, of libraries that are here only', async () => {
    set(1, 'one')
    set(2, '')
    const { heads: now } = await ask(32, { libraries: [library(1), library(2), library(3)] })
    expect(now.map(text)).toEqual(['one'])
    exchange.start()
    await look()
    expect(asked).toEqual([])
    set(1, 'two')
    set(2, 'signed')
    set(3, 'came later')
    await look()
    await look()
    const told = asked.map(({ message }) => text((message as { head: Uint8Array }).head))
    expect(told.sort()).toEqual(['signed', 'two'])
    await exchange.stop()
  })

  test('gets nothing of those that it may not know of, from the moment on when that is so', async () => {
    for (const number of [1, 2]) set(number, 'one')
    closed.add(text(library(1)))
    const libraries = [library(1), library(2)]
    expect((await ask(32, { libraries })).heads).toHaveLength(1)
    closed.delete(text(library(1)))
    expect((await ask(32, { libraries })).heads, 'let in').toHaveLength(2)
    closed.add(text(library(2)))
    exchange.start()
    for (const number of [1, 2]) set(number, 'two')
    await look()
    closed.clear()
    set(2, 'three')
    await look()
    expect(asked, 'shut out, it is told no more until it asks again').toHaveLength(1)
    await exchange.stop()
  })

  test('is told of those that it asked for when it is let in, and of nothing while it is not', async () => {
    for (const number of [1, 2, 3, 4]) {
      set(number, `of ${number}`)
      closed.add(text(library(number)))
    }
    expect((await ask(32, { libraries: [1, 2, 3].map(library) })).heads).toEqual([])
    const told = (): string[] => asked.map(({ message }) => text((message as { head: Uint8Array }).head))
    exchange.start()
    exchange.audiencesChanged()
    await look()
    expect(told()).toEqual([])
    for (const number of [1, 3, 4]) closed.delete(text(library(number)))
    exchange.audiencesChanged()
    await look()
    expect(told(), 'what it did not ask for it is not told').toEqual(['of 1', 'of 3'])
    closed.add(text(library(1)))
    set(1, 'secret')
    exchange.audiencesChanged()
    await look()
    expect(told(), 'shut out').toHaveLength(2)
    closed.delete(text(library(1)))
    exchange.audiencesChanged()
    await look()
    expect(told(), 'and let in again').toEqual(['of 1', 'of 3', 'secret'])
    await exchange.stop()
  })

  test('is answered about a thousand as late as about one, and what it may not know of costs no more than what is nowhere', async () => {
    set(1, 'one')
    set(2, 'closed')
    closed.add(text(library(2)))
    const nowhere = Array.from({ length: 1000 }, (_, number) => Buffer.from(String(number).padStart(32)))
    const costs: unknown[] = []
    for (const libraries of [
      [library(1)],
      [library(1), ...nowhere],
      Array(1000).fill(library(2)),
      [library(3)]
    ]) {
      looks = reads = 0
      const startMs = clock.monotonicMs()
      const { heads: shown } = await ask(32, { libraries })
      costs.push([shown.length, looks, reads, clock.monotonicMs() - startMs])
    }
    const nothing = [0, 1, 0, NONE_HERE_MS]
    expect(costs).toEqual([[1, 1, 1, NONE_HERE_MS], [1, 1, 1, NONE_HERE_MS], nothing, nothing])
  })

  test('is told no more once it is gone, or watches something else', async () => {
    set(1, 'one')
    await ask(32, { libraries: [library(1)] })
    await ask(32, { libraries: [] })
    exchange.start()
    set(1, 'two')
    await look()
    await ask(32, { libraries: [library(1)] })
    connected = false
    set(1, 'three')
    await look()
    connected = true
    await look()
    expect(asked).toEqual([])
    await exchange.stop()
  })

  test('is not told what it has told itself', async () => {
    set(1, 'one')
    await ask(32, { libraries: [library(1)] })
    answer = () => ({ heads: [] })
    await exchange.watch(peerId, [library(1)])
    await ask(newHead.method, { head: Buffer.from('two') })
    exchange.start()
    set(1, 'two')
    await look()
    set(1, 'three')
    await look()
    const told = asked.flatMap(({ method, message }) =>
      method === newHead.method ? [text((message as { head: Uint8Array }).head)] : []
    )
    expect(told).toEqual(['three'])
    await exchange.stop()
  })

  test('hears of the others where the head of a library cannot be read, and of that one when it can', async () => {
    for (const number of [1, 2]) set(number, 'one')
    const libraries = [library(1), library(2)]
    unreadable = text(library(1))
    expect((await ask(32, { libraries })).heads.map(text), 'asked for').toEqual(['one'])
    unreadable = undefined
    await ask(32, { libraries })
    unreadable = text(library(1))
    exchange.start()
    await look()
    set(2, 'two')
    await look()
    const told = (): string[] => asked.map(({ message }) => text((message as { head: Uint8Array }).head))
    expect(told(), 'as it changes').toEqual(['two'])
    expect(errors, 'once each time it becomes so').toBe(2)
    unreadable = undefined
    set(1, 'three')
    await look()
    expect(told()).toEqual(['two', 'three'])
    await exchange.stop()
  })

  test('hears of the others where nobody can say who may know of a library', async () => {
    for (const number of [1, 2]) set(number, 'one')
    await ask(32, { libraries: [library(1), library(2)] })
    unknowable = text(library(1))
    exchange.start()
    for (const words of ['two', 'three']) {
      for (const number of [1, 2]) set(number, `${words} of ${number}`)
      await look()
    }
    const told = asked.map(({ message }) => text((message as { head: Uint8Array }).head))
    expect(told).toEqual(['two of 2', 'three of 2'])
    expect(errors).toBe(1)
    await exchange.stop()
  })

  describe('where they are a thousand', () => {
    const ids = Array.from({ length: 1000 }, (_, number) => Buffer.from(String(number).padStart(32)))
    const setAll = (head: string): void => {
      for (const id of ids) heads.set(text(id), Buffer.from(`${text(id)} ${head}`))
    }
    /** The other side: it takes as much as a node takes. */
    let refused: number
    let toldTo: (head: Uint8Array) => Promise<void>
    beforeEach(() => {
      refused = 0
      const rates = new PeerRates(HEAD_RATE, clock)
      toldTo = async head => {
        try {
          rates.take(peerId.toString(), 1)
          heard.push(text(head))
        } catch (thrown) {
          refused++
          throw thrown
        }
      }
      answer = () => toldTo((asked.at(-1)!.message as { head: Uint8Array }).head)
    })

    test('gets no more heads at once than fit, and the others within a minute, each once', async () => {
      setAll('first')
      const now = (await ask(32, { libraries: ids })).heads.map(text)
      expect(now).toHaveLength(MAX_HEADS_PER_ANSWER)
      exchange.start()
      await clock.advance(60_000, 500)
      expect(refused).toBe(0)
      expect([...now, ...heard].sort()).toEqual([...heads.values()].map(text).sort())
      await exchange.stop()
    })

    test('hears of all where they change at once, also of those behind some that change all the time', async () => {
      setAll('first')
      await ask(32, { libraries: ids })
      exchange.start()
      await clock.advance(60_000, 500)
      setAll('second')
      for (let second = 0; second < 70; second++) {
        for (const id of ids.slice(0, 15)) heads.set(text(id), Buffer.from(`${text(id)} of ${second}`))
        await look()
      }
      expect(refused).toBe(0)
      expect(heard.filter(head => head.endsWith('second')).length).toBeGreaterThanOrEqual(985)
      await exchange.stop()
    })

    test('has few on their way to one that does not answer', async () => {
      setAll('first')
      await ask(32, { libraries: ids })
      answer = () => new Promise(() => undefined)
      exchange.start()
      await clock.advance(5000, 500)
      expect(asked).toHaveLength(HEAD_RATE.perSecond)
      await exchange.stop()
    })
  })

  test('cannot ask or tell without end', async () => {
    for (let times = 0; times < WATCH_RATE.burst; times++) await ask(32, { libraries: [] })
    await expect(ask(32, { libraries: [] })).rejects.toMatchObject({ code: 'BUSY' })
    await expect(ask(33, { head: Buffer.from('x') }), 'nobody asked it').rejects.toMatchObject({
      code: 'INVALID_ARGUMENT'
    })
    answer = () => ({ heads: [Buffer.from('now')] })
    await exchange.watch(peerId, [library(1)])
    const asks = Array.from({ length: HEAD_RATE.burst }, () => begin(33, { head: Buffer.from('new') }))
    await expect(asks.at(-1)).rejects.toMatchObject({ code: 'BUSY' })
    await clock.advance(NOT_HERE_MS)
    await Promise.all(asks.slice(0, -1))
    expect(heard.slice(0, 2)).toEqual(['now', 'new'])
    expect(heard).toHaveLength(HEAD_RATE.burst)
  })

  test('says no more libraries than a peer takes', async () => {
    const ids = Array.from({ length: 1025 }, () => library(1))
    await expect(exchange.watch(peerId, ids)).rejects.toBeInstanceOf(CatalogError)
    expect(asked).toEqual([])
    expect([watchHeads.method, newHead.method]).toEqual([32, 33])
  })
})
