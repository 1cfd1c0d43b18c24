/** What nodes of all drivers have in common: the home, and what the daemon is told of the machine, are files of this machine. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { homeLayout } from '../../node/index.ts'
import type { NodePlan } from '../network/plan.ts'
import { askAdmin } from './admin.ts'
import {
  type AdminAnswer,
  type AdminRequest,
  type CommandEnd,
  type DriverName,
  type ErrorDocument,
  type HomeFiles,
  type Hooks,
  unsupported
} from './driver.ts'
import { LocalHomeFiles } from './home-files.ts'
import { SmallDisk } from './small-disk.ts'

export interface NodePaths {
  /** A disk of its own, when it has a limit. */
  readonly disk: string
  readonly home: string
  readonly hooks: string
}

/** Where the disk and the home of a node are in its folder. */
export const homeIn = (folder: string): Pick<NodePaths, 'disk' | 'home'> => ({
  disk: join(folder, 'disk'),
  home: join(folder, 'disk', 'home')
})

/** What `catalog … --json` has said: one document, or none. */
export function commandEnd(code: number | null, stdout: string): CommandEnd {
  const said = stdout === '' ? undefined : (JSON.parse(stdout) as { error?: ErrorDocument })
  return { code, error: said?.error }
}

export class LocalNode {
  readonly plan: NodePlan
  readonly files: HomeFiles
  readonly #driver: DriverName
  readonly #paths: NodePaths

  constructor(plan: NodePlan, { driver, paths }: { driver: DriverName; paths: NodePaths }) {
    this.plan = plan
    this.#driver = driver
    this.#paths = paths
    this.files = new LocalHomeFiles(paths.home)
  }

  get name(): string {
    return this.plan.name
  }

  ask(request: AdminRequest, signal: AbortSignal): Promise<AdminAnswer> {
    return askAdmin(homeLayout(this.#paths.home).socket, request, signal)
  }

  async setHooks(hooks: Hooks): Promise<void> {
    // Whole or not at all: the daemon may read it at any moment.
    writeFileSync(`${this.#paths.hooks}.new`, JSON.stringify(hooks))
    renameSync(`${this.#paths.hooks}.new`, this.#paths.hooks)
  }

  async fillDisk(leaveBytes: number): Promise<void> {
    this.#disk().fill(leaveBytes)
  }

  async freeDisk(): Promise<void> {
    this.#disk().free()
  }

  #disk(): SmallDisk {
    if (this.plan.limits.diskBytes === undefined)
      throw unsupported(this.#driver, `fill the disk of ${this.name}, which has none of its own`)
    return SmallDisk.at(this.#paths.disk)
  }
}
