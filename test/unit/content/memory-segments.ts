/** Segments in memory: the smallest thing that does what the store needs of a backend. */
import { assertInvariant } from '../../../base/index.ts'
import type { SegmentBackend } from '../../../library/content/segment-backend.ts'

export class MemorySegments implements SegmentBackend {
  readonly #segments = new Map<number, Buffer>()
  #sealed = -1

  async prepare(): Promise<void> {}

  async list(): Promise<number[]> {
    return [...this.#segments.keys()].sort((a, b) => a - b)
  }

  async sizeOf(segment: number): Promise<number | undefined> {
    return this.#segments.get(segment)?.byteLength
  }

  async append(segment: number, positionBytes: number, bytes: Uint8Array): Promise<void> {
    assertInvariant(!this.isSealed(segment), 'nothing is appended to a sealed segment')
    const before = this.#segments.get(segment)?.subarray(0, positionBytes) ?? Buffer.alloc(0)
    this.#segments.set(segment, Buffer.concat([before, bytes]))
  }

  async sync(): Promise<void> {}

  async cut(segment: number, sizeBytes: number): Promise<void> {
    this.#segments.set(segment, Buffer.from(this.#segments.get(segment)!.subarray(0, sizeBytes)))
  }

  seal(segment: number): void {
    this.#sealed = Math.max(this.#sealed, segment)
  }

  isSealed(segment: number): boolean {
    return segment <= this.#sealed
  }

  async remove(segment: number): Promise<void> {
    this.#segments.delete(segment)
  }

  async checkRoom(): Promise<void> {}

  async readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number> {
    const bytes = this.#segments.get(segment)
    if (bytes === undefined) throw Object.assign(new Error('ENOENT'), { code: 'ENOENT' })
    let at = positionBytes
    for (const target of targets) at += bytes.subarray(at, at + target.byteLength).copy(target)
    return at - positionBytes
  }

  drop(): void {}

  async close(): Promise<void> {}
}
