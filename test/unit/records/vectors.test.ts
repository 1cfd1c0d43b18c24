/** The frozen vectors of docs/records.md. When one of these fails, the code is wrong, not the file. */
import { readFileSync } from 'node:fs'
import * as dagCbor from '@ipld/dag-cbor'
import { CID } from 'multiformats/cid'
import { describe, expect, test } from 'vitest'
import {
  canonicalKey,
  createRecord,
  decodeRecord,
  decodeRelease,
  decodeStatement,
  type RecordStatement,
  recordHash,
  supersedes,
  trieKey
} from '../../../library/records/index.ts'
import { formatPublicKey, SigningKey } from '../../../trust/index.ts'
import { codeOf } from './examples.ts'

interface ValidCase {
  name: string
  seed: string
  signer: string
  envelope: unknown
  record: string
  id: string
  canonicalKey: string
  trieKey: string
  recHash: string
}
interface InvalidCase {
  name: string
  code: string
  record?: string
  zeros?: number
}
interface ValidFile {
  records: ValidCase[]
  winners: Array<{ of: string[]; winner: string }>
}

const read = <T>(file: string): T =>
  JSON.parse(readFileSync(new URL(`../../fixtures/vectors/records/${file}`, import.meta.url), 'utf8'))
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const unhex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'hex'))

/** The value that DAG-JSON stands for. */
function fromDagJson(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(fromDagJson)
  if (typeof value !== 'object' || value === null) return value
  const special = (value as Record<string, unknown>)['/']
  if (typeof special === 'string') return CID.parse(special)
  if (special !== undefined) {
    return Uint8Array.from(Buffer.from((special as { bytes: string }).bytes, 'base64'))
  }
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, fromDagJson(entry)]))
}

const { records, winners } = read<ValidFile>('valid.json')
const statements = read<{ records: ValidCase[]; invalid: InvalidCase[] }>('statements.json')

describe('valid records', () => {
  test.each([...records, ...statements.records])('$name', vector => {
    const record = decodeRecord(unhex(vector.record))
    expect(record.id.toString()).toBe(vector.id)
    expect(formatPublicKey(record.signer)).toBe(vector.signer)
    expect(hex(canonicalKey(record))).toBe(vector.canonicalKey)
    expect(hex(trieKey(record))).toBe(vector.trieKey)
    expect(hex(recordHash(record.bytes))).toBe(vector.recHash)
    expect(hex(dagCbor.encode(fromDagJson(vector.envelope)))).toBe(vector.record)
    if (record.kind === 'release') expect(decodeRelease(record.bytes).bytes).toEqual(record.bytes)
    const { kind, sequence, subject, body } = fromDagJson(vector.envelope) as RecordStatement
    const statement = { kind, sequence, body, ...(subject === undefined ? {} : { subject }) }
    expect(hex(createRecord(statement, SigningKey.fromSeed(unhex(vector.seed))).bytes)).toBe(vector.record)
  })

  test.each(winners)('of two for one key, $winner', ({ of, winner }) => {
    const [a, b] = of.map(id => decodeRecord(unhex(records.find(vector => vector.id === id)!.record)))
    expect(trieKey(a!)).toEqual(trieKey(b!))
    expect((supersedes(a!, b!) ? a : b)?.id.toString()).toBe(winner)
    expect((supersedes(b!, a!) ? b : a)?.id.toString()).toBe(winner)
  })
})

describe('statements', () => {
  test.each(statements.records)('$name', ({ record }) => {
    expect(decodeStatement(unhex(record)).bytes).toEqual(unhex(record))
  })

  test.each(statements.invalid)('$name: $code', ({ code, record }) => {
    expect(codeOf(() => decodeStatement(unhex(record!)))).toBe(code)
  })
})

describe('invalid records', () => {
  test.each(read<{ records: InvalidCase[] }>('invalid.json').records)('$name: $code', vector => {
    const bytes = vector.record === undefined ? new Uint8Array(vector.zeros!) : unhex(vector.record)
    expect(codeOf(() => decodeRelease(bytes))).toBe(vector.code)
  })
})
