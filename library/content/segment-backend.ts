/**
 * Where segments stand. The unit is a segment, never a block: the index (LevelDB) and the decision what to write, move or
 * drop are above (segments.ts, recovery.ts, collect.ts). One segment at a time is open and grows; the others are sealed and
 * never change again, they can only go. Numbers are not used again.
 *
 * Two interfaces, because there are two threads: whoever reads needs `SegmentReads`, the one writer in the worker
 * `SegmentBackend`.
 */
export interface SegmentReads {
  /**
   * Fills several buffers one after another from one place in a segment; returns the bytes read, fewer only at the end
   * of the segment. Fails with ENOENT (`code`) when the segment is gone.
   */
  readInto(segment: number, targets: Uint8Array[], positionBytes: number): Promise<number>
  /** A segment is gone, or gave wrong bytes: what is open or remembered of it is let go of once nobody reads it. */
  drop(segment: number): void
  close(): Promise<void>
}

export interface SegmentBackend extends SegmentReads {
  /** Makes ready what the segments stand in; it is there after a crash too. */
  prepare(): Promise<void>
  /** Numbers of the segments, rising. */
  list(): Promise<number[]>
  /** Undefined when it is not there. */
  sizeOf(segment: number): Promise<number | undefined>
  /**
   * Puts bytes at a position, which is the end of the open segment, or 0 in a new one. They are there after a crash when
   * this resolves. When it fails some of them may be: see `cut`.
   */
  append(segment: number, positionBytes: number, bytes: Uint8Array): Promise<void>
  /** All that was ever appended to the segment stays after a crash. */
  sync(segment: number): Promise<void>
  /** Cuts off what stands behind a position of a segment that is not sealed. */
  cut(segment: number, sizeBytes: number): Promise<void>
  /** Nothing is appended to this segment and those before it from now on. */
  seal(segment: number): void
  isSealed(segment: number): boolean
  /** Takes a segment away, also after a crash. Nothing happens when it is not there. */
  remove(segment: number): Promise<void>
  /** Throws DISK_FULL, or whatever else keeps so many bytes from being appended. */
  checkRoom(sizeBytes: number): Promise<void>
}
