/** The network of docker-compose.yml, as its users start it: a part of it, with an image built from this tree. Skipped where no engine runs. */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const PROJECT = `catalog-test-${process.pid}`
const IMAGE = `catalog:${PROJECT}`
/** Most of it is `npm ci`, which the engine remembers until package-lock.json changes. */
const BUILD_TIMEOUT_MS = 600_000
const NODES = ['seed', 'publisher-eu', 'consumer-ap']
/** A daemon is ready in a fraction of a second; the rest is for a machine that has ten times more to do than it has cores. */
const START_MS = 60_000
/** Promised by the daemon; then docker-compose.yml has it killed, which is exit status 137. */
const STOP_SECONDS = 15

const ENV = {
  ...process.env,
  COMPOSE_PROJECT_NAME: PROJECT,
  CATALOG_IMAGE: IMAGE,
  // Two runs at once on one engine need two.
  CATALOG_TESTNET: `10.148.${process.pid % 256}`
}

const ask = (command: string, ...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(command, args, { encoding: 'utf8', env: ENV, cwd: ROOT })

/** Compose 1 is a command of its own, Compose 2 one of docker's. */
const COMPOSE = ask('docker', 'compose', 'version').status === 0 ? ['docker', 'compose'] : ['docker-compose']

const missing: string | undefined = (() => {
  if (ask('docker', 'info').status !== 0) return 'no container engine runs'
  const [command = '', ...args] = COMPOSE
  if (ask(command, ...args, 'version').status !== 0) return 'no Compose'
  return undefined
})()
if (missing !== undefined) console.log(`tests with containers are skipped: ${missing}`)

interface Said {
  code: number | null
  stdout: string
  stderr: string
}

async function said([command = '', ...args]: readonly string[]): Promise<Said> {
  const child = spawn(command, args, { env: ENV, cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'close')
  ])
  return { code, stdout, stderr }
}

async function run(...command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await said(command)
  if (code !== 0) throw new Error(`${command.join(' ')} ended with ${code}: ${stderr}${stdout}`)
  return stdout
}

const compose = (...args: string[]): Promise<string> => run(...COMPOSE, ...args)

const ids = new Map<string, string>()

/** The container of a node; it stays the same over its starts. */
async function idOf(node: string): Promise<string> {
  const id = ids.get(node) ?? (await compose('ps', '-q', node)).trim()
  ids.set(node, id)
  return id
}

/** What `docker-compose exec NODE …` does, without the second that its start takes. */
const within = async (node: string, ...command: string[]): Promise<Said> =>
  said(['docker', 'exec', await idOf(node), ...command])

async function catalog<T = Record<string, unknown>>(node: string, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await within(node, 'catalog', ...args, '--json')
  if (code !== 0) throw new Error(`catalog ${args[0]} at ${node} ended with ${code}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as T
}

async function inspect(node: string, format: string): Promise<string> {
  return (await run('docker', 'inspect', '-f', format, await idOf(node))).trim()
}

/** What the engine has of this project. */
async function leftOvers(): Promise<string[]> {
  const label = ['--filter', `label=com.docker.compose.project=${PROJECT}`]
  const lists = [
    ['ps', '-aq'],
    ['network', 'ls', '-q'],
    ['volume', 'ls', '-q']
  ].map(list => run('docker', ...list, ...label))
  return (await Promise.all(lists)).flatMap(lines => lines.split('\n')).filter(line => line !== '')
}

describe.skipIf(missing !== undefined)(`nodes in containers (${missing ?? COMPOSE.join(' ')})`, () => {
  beforeAll(async () => {
    await run('docker', 'build', '-q', '-t', IMAGE, '.')
    await compose('up', '-d', ...NODES)
  }, BUILD_TIMEOUT_MS)

  afterAll(async () => {
    await compose('down', '-v', '-t', '0')
    await run('docker', 'rmi', IMAGE)
  })

  it('find each other by an invite that nobody carried, and hand on what one of them publishes', async () => {
    // A container that has started has no daemon yet that answers.
    await eventually(async () => {
      const { code, stdout } = await within('consumer-ap', 'catalog', 'status', '--json')
      return code === 0 && JSON.parse(stdout).peers === 2
    }, START_MS)
    const folder = 'mkdir -p /tmp/demo && echo from eu > /tmp/demo/file.txt'
    expect(await within('publisher-eu', 'sh', '-c', folder)).toMatchObject({ code: 0 })
    await catalog(
      'publisher-eu',
      'publish',
      '/tmp/demo',
      '--name',
      'demo',
      '--version',
      '1.0.0',
      '--wait',
      '1'
    )
    await catalog('consumer-ap', 'install', 'demo', '--to', '/tmp/there')
    expect(await within('consumer-ap', 'cat', '/tmp/there/demo/file.txt')).toMatchObject({
      code: 0,
      stdout: 'from eu\n'
    })
  })

  it('are reached as the documents say', async () => {
    const status = JSON.parse(await compose('exec', '-T', 'seed', 'catalog', 'status', '--json'))
    expect(status).toMatchObject({ state: 'running', peers: 2 })
  })

  it('are healthy, each in its region, within the limits', async () => {
    for (const node of NODES)
      await eventually(async () => (await inspect(node, '{{.State.Health.Status}}')) === 'healthy')
    const { self } = await catalog<{ self: { region: string } }>('consumer-ap', 'topology')
    expect(self.region).toBe('ap/sin')
    const limits = '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}}'
    expect(await inspect('seed', limits)).toBe(`${384 * 1024 ** 2} 1000000000 128`)
  })

  it('have no right that a daemon does not need', async () => {
    expect((await within('seed', 'id', '-u')).stdout).toBe('4747\n')
    expect((await within('seed', 'sh', '-c', 'echo x > /opt/catalog/x')).stderr).toContain(
      'Read-only file system'
    )
    const status = (await within('seed', 'cat', '/proc/1/status')).stdout
    expect(status).toMatch(/CapBnd:\s0+\n/)
    expect(status).toMatch(/NoNewPrivs:\s1\n/)
  })

  it('load from the image what is seldom needed', async () => {
    expect((await within('seed', 'catalog', 'topology', '--format', 'svg')).stdout).toContain('<svg')
    const s3 = join('/opt/catalog/node_modules', '@aws-sdk/client-s3')
    expect(
      await within('seed', 'node', '-e', `new (require('${s3}').S3Client)({ region: 'x' })`)
    ).toMatchObject({
      code: 0
    })
  })

  it('end by themselves at SIGTERM, and go on with what their volumes hold', async () => {
    await compose('stop', '-t', String(STOP_SECONDS), 'consumer-ap')
    expect(await inspect('consumer-ap', '{{.State.ExitCode}} {{.State.OOMKilled}}')).toBe('0 false')
    await compose('start', 'consumer-ap')
    await eventually(async () => (await within('consumer-ap', 'catalog', 'status')).code === 0)
    const { local } = await catalog<{ local: string }>('consumer-ap', 'info', 'demo', '--local')
    expect(local).toBe('complete')
  })

  it('leave nothing behind', async () => {
    expect(await leftOvers()).not.toEqual([])
    await compose('down', '-v')
    expect(await leftOvers()).toEqual([])
  })
})
