/** A network namespace: a host of its own as far as the network goes, with the files and processes of this machine. */
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { runTool } from '../run-tool.ts'

const PREFIX = 'catalog'
const FOLDER = '/run/netns'
/** The device of the link in each namespace. */
export const DEVICE = 'link0'
/** Packets that the kernel holds for the link program: enough that only the link's own queue ever drops one. */
const DEVICE_QUEUE_PACKETS = 10_000

/** One end of a link. */
export interface Host {
  /** IPv4; /24. */
  readonly address: string
  /** Put before a command and its arguments to run it there: `spawn(command[0], [...command.slice(1), ...])`. */
  readonly command: readonly string[]
  /** Gives it another address of the same /24 in place of the one it has, as a move to another network would. */
  changeAddress(address: string): void
}

export class Namespace implements Host {
  readonly name: string
  #address: string

  static create(role: string, address: string): Namespace {
    removeStale()
    const name = `${PREFIX}-${process.pid}-${role}-${randomBytes(2).toString('hex')}`
    ip('netns', 'add', name)
    return new Namespace(name, address)
  }

  private constructor(name: string, address: string) {
    this.name = name
    this.#address = address
  }

  get address(): string {
    return this.#address
  }

  get command(): readonly string[] {
    return ['ip', 'netns', 'exec', this.name]
  }

  /** Once the link program has made the device. */
  bringUp(): void {
    ip('-n', this.name, 'address', 'add', `${this.#address}/24`, 'dev', DEVICE)
    ip('-n', this.name, 'link', 'set', DEVICE, 'txqueuelen', String(DEVICE_QUEUE_PACKETS), 'up')
    ip('-n', this.name, 'link', 'set', 'lo', 'up')
  }

  changeAddress(address: string): void {
    // The old one first: with both for a moment, a socket could choose either.
    ip('-n', this.name, 'address', 'del', `${this.#address}/24`, 'dev', DEVICE)
    ip('-n', this.name, 'address', 'add', `${address}/24`, 'dev', DEVICE)
    this.#address = address
  }

  /** Processes in it keep running, without a network. */
  remove(): void {
    if (existsSync(`${FOLDER}/${this.name}`)) ip('netns', 'del', this.name)
  }
}

/** Removes what runs that were killed have left: namespaces that are named after a process which is gone. */
function removeStale(): void {
  const names = existsSync(FOLDER) ? readdirSync(FOLDER) : []
  for (const name of names) {
    const pid = /^catalog-(\d+)-/.exec(name)?.[1]
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) spawnSync('ip', ['netns', 'del', name])
  }
}

const ip = (...args: string[]): void => runTool('ip', args)
