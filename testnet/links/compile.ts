/** The link program, compiled from link.c when it is first needed and again when that changes. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'

const SOURCE = join(import.meta.dirname, 'link.c')
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'catalog-testnet')

/** Why there can be no link on this machine; undefined when there can. */
export function whyNoLink(): string | undefined {
  if (process.platform !== 'linux') return 'network namespaces are Linux only'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun'
  for (const [command, arg] of [
    ['ip', '-V'],
    ['cc', '--version']
  ] as const)
    if (spawnSync(command, [arg]).error !== undefined) return `there is no ${command}`
  const probe = `catalog-${process.pid}-probe`
  const made = spawnSync('ip', ['netns', 'add', probe])
  if (made.status !== 0) return `no network namespace can be made here: ${made.stderr.toString().trim()}`
  spawnSync('ip', ['netns', 'del', probe])
  return undefined
}

/** Path of the program. */
export function compileLink(): string {
  const digest = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16)
  const program = join(CACHE, `link-${digest}`)
  if (existsSync(program)) return program
  mkdirSync(CACHE, { recursive: true })
  // Under its name only once it is whole: another test may look for it at the same time.
  const unfinished = `${program}.${process.pid}`
  const { status, stderr } = spawnSync('cc', ['-O2', '-Wall', '-Wextra', '-o', unfinished, SOURCE])
  if (status !== 0) throw new Error(`link.c was not compiled: ${stderr}`)
  renameSync(unfinished, program)
  return program
}
