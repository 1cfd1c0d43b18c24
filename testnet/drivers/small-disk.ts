/** A small disk of its own, in memory: mounting needs root. */
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { runTool } from '../run-tool.ts'

const BALLAST = 'ballast'
const BALLAST_WRITE_BYTES = 64 * 1024

/** Why there can be no small disks here; undefined when there can. */
export function whyNoSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'tmpfs is Linux only'
  return process.getuid?.() === 0 ? undefined : 'mounting a disk needs root'
}

export class SmallDisk {
  readonly folder: string

  /** Mounts a tmpfs of that size on a new folder. */
  static mount(folder: string, sizeBytes: number): SmallDisk {
    mkdirSync(folder, { recursive: true })
    runTool('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', folder])
    return new SmallDisk(folder)
  }

  /** One that is mounted there. */
  static at(folder: string): SmallDisk {
    return new SmallDisk(folder)
  }

  private constructor(folder: string) {
    this.folder = folder
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.folder)
    return bavail * bsize
  }

  /** Fills it up with a file, to the last block or until so much is left. */
  fill(leaveBytes = 0): void {
    const file = openSync(join(this.folder, BALLAST), 'a')
    const bytes = Buffer.alloc(BALLAST_WRITE_BYTES)
    try {
      while (this.freeBytes > leaveBytes)
        writeSync(file, bytes, 0, Math.min(bytes.length, this.freeBytes - leaveBytes))
    } finally {
      closeSync(file)
    }
  }

  /** Takes the file away again. */
  free(): void {
    rmSync(join(this.folder, BALLAST), { force: true })
  }

  unmount(): void {
    unmount(this.folder)
  }
}

export function unmount(folder: string): void {
  // Lazily: a process that a failed test left behind may have a file open.
  runTool('umount', ['-l', folder])
}

/** Disks that are mounted below a folder. */
export function mountsBelow(folder: string): string[] {
  const targets = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map(line => line.split(' ')[1] ?? '')
  return targets.filter(target => target.startsWith(join(folder, '/')))
}
