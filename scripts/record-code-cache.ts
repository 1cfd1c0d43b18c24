/**
 * Child of the build: runs a command of the bundle and writes what V8 has compiled until then. Arguments: the bundle's
 * catalog.cjs, the cache to write, which is begun with if it is there, and the command. A command that ends is recorded
 * at its end, the daemon when it prints that it is ready; it goes on until a signal.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { setFlagsFromString } from 'node:v8'
import type { BundleStart } from './code-cache.ts'

const [start = '', cache = '', ...command] = process.argv.slice(2)
const require = createRequire(start)
const bundle = require(start) as BundleStart
process.argv = [process.execPath, start, ...command]
// V8 drops code that has not run for a while, such as that of a module after its start.
setFlagsFromString('--no-flush-bytecode')
const source = bundle.readProgram()
const script = bundle.compile(source, bundle.codeIn(cache, source))

let isSaved = false
function save(): void {
  if (isSaved) return
  isSaved = true
  // A cache is only good for the flags it was made with, and is read before the daemon sets its own (node/start.ts).
  for (const flag of ['--flush-bytecode', '--no-optimize-for-size', '--semi-space-growth-factor=2'])
    setFlagsFromString(flag)
  const file = Buffer.concat([Buffer.from(bundle.headOf(source), 'latin1'), script.createCachedData()])
  // V8 trusts what it reads: a file that a power cut left half written would crash each start.
  writeFileSync(`${cache}.new`, file, { flush: true })
  renameSync(`${cache}.new`, cache)
}

if (command.includes('daemon')) {
  const { stdout } = process
  const write = stdout.write.bind(stdout)
  stdout.write = ((text: string) => {
    save()
    return write(text)
  }) as typeof stdout.write
}
process.once('exit', save)
script.runInThisContext()(require, bundle.PROGRAM)
