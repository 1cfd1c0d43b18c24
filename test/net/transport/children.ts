import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { firstMessage } from './first-message.ts'
import { stderrFile } from './stderr-file.ts'

const CHILDREN = ['sender', 'slow-reader', 'soak', 'soak-server'] as const

/** Resolves to the folder of the children as JavaScript. */
let compiled: Promise<string> | undefined

/**
 * Compiles the children once, as the product is: Node's own type stripping costs 30 MB of memory that would count
 * as the transport's. Inside node_modules, so that packages resolve.
 */
async function compileChildren(): Promise<string> {
  const folder = fileURLToPath(new URL('../../../node_modules/.cache/catalog-transport/', import.meta.url))
  await build({
    entryPoints: CHILDREN.map(name => fileURLToPath(new URL(`./${name}.child.ts`, import.meta.url))),
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    outdir: folder,
    outExtension: { '.js': '.mjs' },
    logLevel: 'error'
  })
  return folder
}

/** Starts a child; resolves with its first message. What it wrote to stderr is shown when it ends. */
export async function startChild<T>(
  name: (typeof CHILDREN)[number],
  args: string[] = []
): Promise<{ child: ChildProcess; first: T }> {
  compiled ??= compileChildren()
  const stderr = stderrFile()
  const child = fork(join(await compiled, `${name}.child.mjs`), args, {
    execArgv: ['--expose-gc'],
    stdio: ['ignore', 'inherit', stderr.descriptor, 'ipc']
  })
  let lastWords = ''
  child.once('exit', () => {
    lastWords = stderr.tail()
    stderr.close()
    process.stderr.write(lastWords)
  })
  const first = await firstMessage<T>(child, () => lastWords)
  return { child, first }
}
