import { describe, expect, it } from 'vitest'
import { AnswerMemory, type AnswerPlace } from '../../../protocols/content/answer-memory.ts'
import {
  MAX_ANSWER_BYTES,
  MAX_ANSWERS_AHEAD,
  MAX_ANSWERS_HELD,
  MAX_ANSWERS_PER_PEER
} from '../../../protocols/content/limits.ts'

const never = new AbortController().signal

async function fill(memory: AnswerMemory, peer: string): Promise<AnswerPlace[]> {
  return await Promise.all(Array.from({ length: MAX_ANSWERS_PER_PEER }, () => memory.take(peer, never)))
}

describe('the memory of answers', () => {
  it('has a few places for a peer, and as many for another', async () => {
    const memory = new AnswerMemory()
    const [first] = await fill(memory, 'a')
    expect(memory.isFull('a')).toBe(true)
    expect(memory.takeAhead('a', never)).toBeUndefined()
    await fill(memory, 'b')
    let isTaken = false
    const waiting = memory.take('a', never).then(() => {
      isTaken = true
    })
    await new Promise(setImmediate)
    expect(isTaken).toBe(false)
    first!.free(true)
    await waiting
    expect(memory.isFull('a')).toBe(true)
  })

  it('is read ahead of its turn for few answers of all peers together', () => {
    const memory = new AnswerMemory()
    const places = Array.from({ length: MAX_ANSWERS_AHEAD }, (_, i) => memory.takeAhead(`peer ${i}`, never)!)
    expect(memory.takeAhead('one more', never)).toBeUndefined()
    places[0]!.isItsTurn()
    places[0]!.isItsTurn()
    const next = memory.takeAhead('one more', never)
    expect(next).toBeDefined()
    expect(memory.takeAhead('another', never)).toBeUndefined()
    next!.free(false)
    next!.free(false)
    expect(memory.takeAhead('another', never)).toBeDefined()
    expect(memory.takeAhead('and another', never)).toBeUndefined()
  })

  it('is bounded for all peers together, and goes to who waits as it comes back', async () => {
    const memory = new AnswerMemory()
    const places = await Promise.all(
      Array.from({ length: MAX_ANSWERS_HELD }, (_, i) => memory.take(`peer ${i}`, never))
    )
    expect(memory.takeAhead('one more', never)).toBeUndefined()
    const gone = new AbortController()
    const left = memory.take('gone', gone.signal)
    const taken: string[] = []
    const waiting = ['first', 'second'].map(peer => memory.take(peer, never).then(() => taken.push(peer)))
    gone.abort(new Error('gone'))
    await expect(left).rejects.toThrow('gone')
    expect(taken).toEqual([])
    places[0]!.free(false)
    places[1]!.free(false)
    await Promise.all(waiting)
    expect(taken).toEqual(['first', 'second'])
    // Nothing is left of who waited in vain.
    for (const place of places.slice(2)) place.free(false)
    await fill(memory, 'gone')
  })

  it('comes back when the stream is cut, whoever still waits or holds', async () => {
    const memory = new AnswerMemory()
    const stream = new AbortController()
    await Promise.all(Array.from({ length: MAX_ANSWERS_PER_PEER }, () => memory.take('a', stream.signal)))
    const waiting = memory.take('a', stream.signal)
    stream.abort(new Error('cut'))
    await expect(waiting).rejects.toThrow('cut')
    expect(memory.isFull('a')).toBe(false)
    await fill(memory, 'a')
  })

  it('is used again only when nobody looks at it any more', async () => {
    const memory = new AnswerMemory()
    const [a, b] = [await memory.take('a', never), await memory.take('a', never)]
    const [kept, dropped] = [a.bufferOf(MAX_ANSWER_BYTES), b.bufferOf(MAX_ANSWER_BYTES)]
    b.free(false)
    a.free(true)
    const later = (await fill(memory, 'b')).map(place => place.bufferOf(MAX_ANSWER_BYTES).buffer)
    expect(later).toContain(kept.buffer)
    expect(later).not.toContain(dropped.buffer)
  })
})
