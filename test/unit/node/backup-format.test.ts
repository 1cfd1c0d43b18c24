/** The form of a backup: says what was put in, and nothing else passes for one. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type BackupPart,
  type BackupState,
  isBackupFile,
  KIND_BYTES,
  MAX_BODY_BYTES
} from '../../../node/backup/parts.ts'
import { readBackup } from '../../../node/backup/read.ts'
import { writeBackup } from '../../../node/backup/write.ts'
import { expectFrozen, PartFiles, readVector, testPartFiles } from '../part-files.ts'

const refused = expect.objectContaining({ code: 'BACKUP_INVALID' })
const MAGIC = Buffer.from('catalog-backup/1\n')
const files = new PartFiles<BackupPart>({ read: readBackup, write: writeBackup })
const partsOf = (bytes: Uint8Array) => files.partsOf(bytes)

const STATE: BackupState = {
  homeFormat: 3,
  version: '0.1.0',
  createdAt: '2026-01-02T03:04:05.000Z',
  peerId: '12D3KooWnode',
  hasKeys: true,
  segments: 0,
  segmentBytes: 0
}

const some = (maxLength: number, minLength = 0) => fc.uint8Array({ minLength, maxLength })
const uniqueSorted = <T>(items: readonly T[], by: (item: T) => string): T[] =>
  [...new Map(items.map(item => [by(item), item])).values()].sort((a, b) => (by(a) < by(b) ? -1 : 1))
const latin = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

const backup = fc
  .record({
    names: fc.subarray(['config.toml', 'keyring/DEFAULT', 'keyring/a.key', 'node.key', 'segments/owner']),
    bytes: some(200),
    rows: fc.array(fc.record({ key: some(40, 1), value: some(200) }), { maxLength: 12 }),
    perPart: fc.integer({ min: 1, max: 5 }),
    away: fc.uniqueArray(fc.nat(2 ** 32 - 1), { maxLength: 4 }),
    segments: fc.dictionary(
      fc.nat(1000).map(String),
      fc.array(some(100, 1), { minLength: 1, maxLength: 3 }),
      {
        maxKeys: 3,
        noNullPrototype: true
      }
    )
  })
  .map(({ names, bytes, rows, perPart, away, segments }): BackupPart[] => {
    const sorted = uniqueSorted(rows, ({ key }) => latin(key))
    const parts: BackupPart[] = names.map(name => ({ kind: 'file', name, bytes }))
    for (let at = 0; at < sorted.length; at += perPart)
      parts.push({ kind: 'rows', rows: sorted.slice(at, at + perPart) })
    for (const segment of away.sort((a, b) => a - b))
      parts.push({ kind: 'away', segments: [{ segment, sizeBytes: 7 }] })
    const state = { ...STATE, segments: 0, segmentBytes: 0 }
    for (const segment of Object.keys(segments)
      .map(Number)
      .sort((a, b) => a - b)) {
      state.segments++
      let offsetBytes = 0
      for (const piece of segments[segment]!) {
        parts.push({ kind: 'piece', segment, offsetBytes, bytes: piece })
        offsetBytes += piece.byteLength
      }
      state.segmentBytes += offsetBytes
    }
    return [{ kind: 'state', state }, ...parts]
  })

describe('a backup', () => {
  testPartFiles(files, { arbitrary: backup, code: 'BACKUP_INVALID' })

  test('is read as it was written when this format was made', async () => {
    const { hex, parts } = readVector('backup/backup.json')
    await expectFrozen(files, { hex: String(hex), parts })
  })
})

/** A file as a liar makes it, every checksum right. */
function forged(parts: ReadonlyArray<[kind: number, body: Uint8Array, lengthBytes?: number]>): Buffer {
  const pieces: Uint8Array[] = [MAGIC]
  for (const [kind, body, lengthBytes = body.byteLength] of parts) {
    const head = Buffer.alloc(5)
    head[0] = kind
    head.writeUInt32BE(lengthBytes, 1)
    pieces.push(head, body, createHash('sha256').update(head).update(body).digest())
  }
  const whole = createHash('sha256').update(Buffer.concat(pieces)).digest()
  const end = Buffer.from([KIND_BYTES.end, 0, 0, 0, 32])
  return Buffer.concat([...pieces, end, whole, createHash('sha256').update(end).update(whole).digest()])
}

const state = (changes: object = {}): [number, Uint8Array] => [
  1,
  Buffer.from(JSON.stringify({ ...STATE, ...changes }))
]
const file = (name: string): [number, Uint8Array] => [
  2,
  Buffer.concat([Uint8Array.of(name.length), Buffer.from(name, 'latin1'), Buffer.from('x')])
]
const row = (key: string): Buffer =>
  Buffer.concat([Buffer.from([0, key.length, 0, 0, 0, 1]), Buffer.from(`${key}v`)])
const piece = (segment: number, offset: number, bytes = 'xy'): [number, Uint8Array] => {
  const head = Buffer.alloc(8)
  head.writeUInt32BE(segment)
  head.writeUInt32BE(offset, 4)
  return [5, Buffer.concat([head, Buffer.from(bytes)])]
}

describe('a forged backup is refused', () => {
  test('unless it is in its one form', async () => {
    expect(await partsOf(forged([state()]))).toHaveLength(1)
    expect(
      await partsOf(forged([state({ segments: 1, segmentBytes: 4 }), piece(3, 0), piece(3, 2)]))
    ).toHaveLength(3)
  })

  test.each([
    ['names a file outside', [state(), file('../etc/passwd')]],
    ['names an absolute file', [state(), file('/etc/passwd')]],
    ['names a file of no home', [state(), file('db/CURRENT')]],
    ['names a key that is none', [state(), file('keyring/../x.key')]],
    ['has a name that is longer than its part', [state(), [2, Uint8Array.of(200, 1)]]],
    ['has a file twice', [state(), file('node.key'), file('node.key')]],
    ['does not begin with its state', [file('node.key')]],
    ['has two states', [state(), state()]],
    ['has a state with something else in it', [state({ more: 1 })]],
    ['has a format that is none', [state({ homeFormat: 0 })]],
    ['has a state that is no JSON', [[1, Buffer.from('{')]]],
    ['has rows in no order', [state(), [3, Buffer.concat([row('b'), row('a')])]]],
    ['has a row twice in two parts', [state(), [3, row('a')], [3, row('a')]]],
    ['has a row that is longer than its part', [state(), [3, row('a').subarray(0, 7)]]],
    ['has rows after segments', [state({ segments: 1, segmentBytes: 2 }), piece(0, 0), [3, row('a')]]],
    ['has a gap in a segment', [state({ segments: 1, segmentBytes: 4 }), piece(0, 0), piece(0, 3)]],
    ['goes back in a segment', [state({ segments: 1, segmentBytes: 4 }), piece(0, 0), piece(0, 0)]],
    ['goes back to a segment', [state({ segments: 2, segmentBytes: 4 }), piece(1, 0), piece(0, 0)]],
    ['has an empty piece', [state({ segments: 1 }), piece(0, 0, '')]],
    ['lacks a segment that it speaks of', [state({ segments: 1, segmentBytes: 2 })]],
    ['has a part of an unknown kind', [state(), [9, Buffer.from('x')]]]
  ] as Array<[string, Parameters<typeof forged>[0]]>)('when it %s', async (_, parts) => {
    await expect(partsOf(forged(parts))).rejects.toEqual(refused)
  })

  test.each(Object.entries(KIND_BYTES))('before a "%s" that is too long is read', async (kind, byte) => {
    const lengthBytes = MAX_BODY_BYTES[kind as keyof typeof MAX_BODY_BYTES] + 1
    let asked = 0
    const bytes = forged([[byte, Buffer.alloc(0), lengthBytes]]).subarray(0, MAGIC.byteLength + 5)
    const source = async function* () {
      yield bytes
      asked++
      yield Buffer.alloc(1)
    }
    await expect(Array.fromAsync(readBackup(source()))).rejects.toEqual(refused)
    expect(asked).toBe(0)
  })

  test('when it is something else, or of another version', async () => {
    for (const text of ['', 'catalog-bundle/1\n', 'catalog-backup/2\nxxxxxxxxxx'])
      await expect(partsOf(Buffer.from(text))).rejects.toThrow(
        'no backup of a home, or one of a later version'
      )
  })
})

test('files of a home are those that a backup may hold', () => {
  for (const name of ['config.toml', 'node.key', 'keyring/DEFAULT', 'keyring/my-key.key', 'segments/owner'])
    expect(isBackupFile(name), name).toBe(true)
  for (const name of ['FORMAT', 'segments/0', 'keyring/x', 'keyring/.key', 'Node.key', 'config.toml\n', ''])
    expect(isBackupFile(name), name).toBe(false)
})
