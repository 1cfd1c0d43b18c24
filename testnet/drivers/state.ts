/** What stands in the folder of a network about it, so that any later process finds all that was made. */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { CatalogError } from '../../base/index.ts'
import type { NetworkPlan } from '../network/plan.ts'
import type { DriverName } from './driver.ts'

const FILE = 'network.json'
const FORMAT = 1

export interface NetworkState<Made = unknown> {
  readonly format: typeof FORMAT
  readonly driver: DriverName
  readonly plan: NetworkPlan
  /** RFC 3339. */
  readonly createdAt: string
  /** What the driver has made and needs to find again or to remove. Written before it is made, so that nothing is forgotten. */
  readonly made: Made
}

/** Where `up` puts the one network that a user has: below $XDG_STATE_HOME. */
export function defaultFolder(env: NodeJS.ProcessEnv = process.env): string {
  return join(env.XDG_STATE_HOME ?? join(homedir(), '.local', 'state'), 'catalog-testnet')
}

/** Absolute path of a folder for a new network; throws INVALID_ARGUMENT when there is something in it. */
export function newFolder(given: string): string {
  const folder = resolve(given)
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new CatalogError('INVALID_ARGUMENT', `${folder} is not empty`)
  return folder
}

/** Undefined when no network is in the folder. */
export function readState(folder: string): NetworkState | undefined {
  const path = join(folder, FILE)
  if (!existsSync(path)) return undefined
  const state = JSON.parse(readFileSync(path, 'utf8')) as NetworkState
  if (state.format !== FORMAT)
    throw new CatalogError('FORMAT_INVALID', `${path} has format ${state.format}, not ${FORMAT}`, {
      hint: 'take the network down with the version of Catalog that brought it up'
    })
  return state
}

/** Whole or not at all. */
export function writeState(folder: string, state: Omit<NetworkState, 'format'>): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, FILE)
  writeFileSync(`${path}.new`, JSON.stringify({ format: FORMAT, ...state }, undefined, 2))
  renameSync(`${path}.new`, path)
}

/** One network's state, read anew for each question: another process may have changed it. */
export class StateStore<Made> {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  get made(): Made {
    return this.#read().made
  }

  /** What stands there before anything is made. */
  write(state: Omit<NetworkState<Made>, 'format'>): void {
    writeState(this.folder, state)
  }

  /** At once, without a wait in between: nodes that start at the same time all write here. */
  change(change: (made: Made) => Partial<Made>): void {
    const state = this.#read()
    this.write({ ...state, made: { ...state.made, ...change(state.made) } })
  }

  #read(): NetworkState<Made> {
    const state = readState(this.folder)
    if (state === undefined) throw new CatalogError('NOT_FOUND', `no network is in ${this.folder} any more`)
    return state as NetworkState<Made>
  }
}
