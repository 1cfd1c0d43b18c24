import { hash } from 'node:crypto'

/** SHA-256 of the concatenation of `parts`: 32 bytes. */
export function sha256(...parts: Uint8Array[]): Uint8Array {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  return plainBytes(hash('sha256', bytes, 'buffer'))
}

/** The same memory as a plain Uint8Array: Buffers compare, print and encode differently in places that matter. */
export function plainBytes(buffer: Uint8Array): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}

/** The UTF-8 prefix that keeps hashes and signatures of one purpose apart from all others: `catalog/<domain>/1\0`. */
export function domainPrefix(domain: string): Uint8Array {
  return plainBytes(Buffer.from(`catalog/${domain}/1\0`, 'utf8'))
}

/** Whether two byte strings are equal. Not constant time: for public values only. */
export function bytesEqual(a: Uint8Array, b: Uint8Array): boolean {
  return a.byteLength === b.byteLength && Buffer.compare(a, b) === 0
}
