import { closeSync, fstatSync, openSync, readSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Of a long stderr only the end is told: whoever dies says why with its last words. */
const TAIL_BYTES = 16 * 1024
let count = 0

/**
 * A file without a name for the stderr of a child. Unlike a pipe it holds, when the child's `exit` comes, all that the child
 * wrote while it died, and does not wait for processes that the child started.
 */
export function stderrFile(): { descriptor: number; tail: () => string; close: () => void } {
  const path = join(tmpdir(), `catalog-child-${process.pid}-${count++}`)
  const descriptor = openSync(path, 'wx+', 0o600)
  unlinkSync(path)
  return {
    descriptor,
    tail: () => {
      const { size } = fstatSync(descriptor)
      const bytes = Buffer.alloc(Math.min(size, TAIL_BYTES))
      readSync(descriptor, bytes, { position: size - bytes.byteLength })
      return bytes.toString()
    },
    close: () => closeSync(descriptor)
  }
}
