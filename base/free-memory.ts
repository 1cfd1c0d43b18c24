/**
 * Gives memory back at once, if `bytes` is all of it. Only for memory that nobody else looks at: to everybody who still has it,
 * it is empty from now on.
 *
 * Bulk data comes in fresh buffers of some 64 to 256 KiB wherever a library makes them (bodies of HTTP, reads of QUIC). Left to
 * the garbage collector, which feels their number and not their emptiness, a gigabyte of them makes it go through the whole
 * heap a hundred times; that took more CPU than hashing the bytes.
 */
export function freeMemory({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && byteLength > 0 && buffer.byteLength === byteLength) buffer.transfer(0)
}
