/**
 * Heads of tar entries (POSIX.1-2001 pax interchange format), written straight into an output buffer.
 * tar-stream's pack takes 22 µs and several buffers for each entry, which for a folder of small files is more
 * than reading and hashing them; what it writes for our three kinds of entries is these few fields.
 */
import { MODE_MASK } from './manifest.ts'

export const TAR_BLOCK_BYTES = 512
/** Two empty blocks end a tar. */
export const TAR_END = Buffer.alloc(2 * TAR_BLOCK_BYTES)
/** Manifests carry no times; a date in 1980 keeps tools from warning that 1970 is implausible. */
const MTIME_S = 315_532_800
const NAME_BYTES = 100
/** Eleven octal digits: larger files need a pax size. */
const MAX_OCTAL_SIZE = 0o77777777777

const TYPE_FLAG = { file: '0', symlink: '2', directory: '5', pax: 'x' } as const

/** What a head says of an entry: a manifest's entry without the hash. */
export type TarEntry =
  | { kind: 'file'; path: string; mode: number; sizeBytes: number }
  | { kind: 'symlink'; path: string; target: string }
  | { kind: 'directory'; path: string; mode: number }

/** Bytes to the next full block. */
export function paddingBytes(sizeBytes: number): number {
  return (TAR_BLOCK_BYTES - (sizeBytes % TAR_BLOCK_BYTES)) % TAR_BLOCK_BYTES
}

/** The head of an entry: one block, or three and more when its names do not fit into one. */
export function tarHead(entry: TarEntry): Buffer {
  const name = entry.kind === 'directory' ? `${entry.path}/` : entry.path
  const target = entry.kind === 'symlink' ? entry.target : ''
  const size = entry.kind === 'file' ? entry.sizeBytes : 0
  const mode = entry.kind === 'symlink' ? MODE_MASK : entry.mode
  const fields: Record<string, string> = {}
  if (!fitsName(name)) fields.path = name
  if (!fitsName(target)) fields.linkpath = target
  if (size > MAX_OCTAL_SIZE) fields.size = String(size)
  const block = headBlock({
    name: fields.path === undefined ? name : 'PaxHeader',
    target: fields.linkpath === undefined ? target : 'PaxHeader',
    size: fields.size === undefined ? size : 0,
    mode,
    flag: TYPE_FLAG[entry.kind]
  })
  return Object.keys(fields).length === 0 ? block : Buffer.concat([paxBlocks(fields), block])
}

const fitsName = (name: string): boolean => name.length <= NAME_BYTES && isPlainAscii(name)

function isPlainAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7e) return false
  return true
}

/** A pax extended header: records `LENGTH KEY=VALUE\n` as the contents of an entry of its own. */
function paxBlocks(fields: Record<string, string>): Buffer {
  const records = Buffer.from(
    Object.entries(fields)
      .map(([key, value]) => paxRecord(key, value))
      .join('')
  )
  const head = headBlock({
    name: 'PaxHeader',
    target: '',
    size: records.byteLength,
    mode: 0o644,
    flag: TYPE_FLAG.pax
  })
  return Buffer.concat([head, records, Buffer.alloc(paddingBytes(records.byteLength))])
}

/** The length counts its own digits. */
function paxRecord(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`
  const restBytes = Buffer.byteLength(rest)
  let length = restBytes + String(restBytes).length
  if (String(length).length + restBytes !== length) length = restBytes + String(length).length
  return `${length}${rest}`
}

interface HeadFields {
  name: string
  target: string
  size: number
  mode: number
  flag: string
}

function headBlock(fields: HeadFields): Buffer {
  const block = Buffer.alloc(TAR_BLOCK_BYTES)
  block.write(fields.name, 0, 'latin1')
  block.write(octal(fields.mode, 7), 100, 'latin1')
  block.write(octal(0, 7), 108, 'latin1')
  block.write(octal(0, 7), 116, 'latin1')
  block.write(octal(fields.size, 11), 124, 'latin1')
  block.write(octal(MTIME_S, 11), 136, 'latin1')
  block.write('        ', 148, 'latin1')
  block.write(fields.flag, 156, 'latin1')
  block.write(fields.target, 157, 'latin1')
  block.write('ustar\u000000', 257, 'latin1')
  let sum = 0
  for (let i = 0; i < TAR_BLOCK_BYTES; i++) sum += block[i]!
  block.write(`${octal(sum, 6)}\0 `, 148, 'latin1')
  return block
}

const octal = (value: number, digits: number): string => value.toString(8).padStart(digits, '0')
