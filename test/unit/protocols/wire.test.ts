import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CatalogError, ERROR_CODES, type ErrorCode, WireStatus } from '../../../base/index.ts'
import { encodeFrame, errorOfStatus, FrameReader, protocolId, statusOf } from '../../../protocols/index.ts'

/** The bytes cut at the given places, as a stream might deliver them. */
async function* pieces(bytes: Uint8Array, cuts: number[]): AsyncGenerator<Uint8Array> {
  const places = [...new Set(cuts.map(cut => cut % (bytes.byteLength + 1)))].sort((a, b) => a - b)
  let from = 0
  for (const place of [...places, bytes.byteLength]) {
    yield bytes.subarray(from, place)
    from = place
  }
}

describe('frames', () => {
  it('come back whatever the pieces they travel in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 8 }),
        fc.array(fc.nat()),
        async (bodies, cuts) => {
          const bytes = Buffer.concat(bodies.map(body => encodeFrame([], body)))
          const reader = new FrameReader(pieces(bytes, cuts))
          for (const body of bodies) expect(await reader.frame('test', 300)).toEqual(body)
          expect(await reader.frame('test', 300)).toBeUndefined()
          expect(reader.receivedBytes).toBe(bytes.byteLength)
        }
      )
    )
  })

  it('are whole although the memory of each piece is given back once it is read', async () => {
    const frame = encodeFrame([], new Uint8Array(250).fill(7))
    const parts = [frame.slice(0, 100), frame.slice(100, 150), frame.slice(150)]
    async function* own(): AsyncGenerator<Uint8Array> {
      yield* parts
    }
    const reader = new FrameReader(own(), { freesPieces: true })
    expect(await reader.frame('test', 300)).toEqual(new Uint8Array(250).fill(7))
    expect(await reader.frame('test', 300)).toBeUndefined()
    expect(parts.map(part => part.byteLength)).toEqual([0, 0, 0])
  })

  it('that are too large are refused before their bytes are read', async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield encodeFrame([], new Uint8Array(200)).subarray(0, 2)
      throw new Error('the body was asked for')
    }
    await expect(new FrameReader(endless()).frame('test', 199)).rejects.toMatchObject({
      code: 'PROTOCOL_VIOLATION'
    })
  })

  it('that end early are truncated, and an end between frames is an end', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), async (body, cut) => {
        const frame = encodeFrame([], body)
        const part = frame.subarray(0, 1 + (cut % (frame.byteLength - 1)))
        await expect(new FrameReader(pieces(part, [])).frame('test', 200)).rejects.toMatchObject({
          code: 'STREAM_TRUNCATED'
        })
      })
    )
  })

  it('begin with the shortest varint only', async () => {
    for (const bytes of [
      [0x80, 0x00],
      [0xff, 0xff, 0xff, 0xff, 0x7f],
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x01]
    ])
      await expect(new FrameReader(pieces(Uint8Array.from(bytes), [])).varint()).rejects.toMatchObject({
        code: 'PROTOCOL_VIOLATION'
      })
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 0xffffffff }), async value => {
        const frame = encodeFrame([value], new Uint8Array(0))
        expect(await new FrameReader(pieces(frame, [1, 2])).varint()).toBe(value)
      })
    )
  })

  it('of random bytes throw a CatalogError or end, never anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 64 }), async bytes => {
        const reader = new FrameReader(pieces(bytes, []))
        try {
          while ((await reader.frame('test', 16)) !== undefined) {
            // read on
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CatalogError)
        }
      })
    )
  })
})

describe('wire statuses', () => {
  it('go from every code to a status, back to a code, and to the same status again', () => {
    for (const code of Object.keys(ERROR_CODES) as ErrorCode[]) {
      const sent = statusOf(new CatalogError(code, 'why'))
      expect(sent.status).not.toBe(WireStatus.Ok)
      const received = errorOfStatus(sent, 'peer')
      expect(received.wireStatus, code).toBe(sent.status)
      expect(received.details?.remoteCode).toBe(code)
    }
  })

  it('carry neither local messages of unexpected errors nor control characters of a peer', () => {
    expect(statusOf(new Error('/home/secret')).message).toBe('')
    const text = errorOfStatus({ status: 2, code: 'X\u001b', message: 'a\u001b[2Jb', retryAfterMs: 7 }, 'p')
    expect(text.message).toBe('p answered: a?[2Jb')
    expect(text.hint).toBe('try again in 7 ms')
    expect(text.details).toEqual({ peer: 'p', remoteCode: 'X?', retryAfterMs: 7 })
  })

  it('unknown here are a violation', () => {
    for (const status of [0, 99])
      expect(errorOfStatus({ status, code: '', message: '', retryAfterMs: 0 }, 'p').code).toBe(
        'PROTOCOL_VIOLATION'
      )
  })
})

describe('protocol ids', () => {
  it('carry the network', () => {
    expect(protocolId('main', 'control', 1)).toBe('/catalog/main/control/1')
    for (const bad of ['', 'Main', 'a/b', 'x'.repeat(33)])
      expect(() => protocolId(bad, 'control', 1)).toThrow(/network id/)
  })
})
