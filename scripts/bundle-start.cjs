'use strict'
// Starts the bundle; `npm run build` puts this file beside it as dist/catalog.cjs. The program is a script and no module,
// because only to a script V8 gives a code cache of all that a start has compiled: that saves half of the time to ready
// and a tenth of the memory of a daemon that waits.
const { enableCompileCache } = process.getBuiltinModule('node:module')
const { existsSync, readFileSync } = process.getBuiltinModule('node:fs')
const { join } = process.getBuiltinModule('node:path')
const { Script } = process.getBuiltinModule('node:vm')

const PROGRAM = join(__dirname, 'program.cjs')
/** Recorded for either; what a daemon needs would cost a short command more than it saves. */
const DAEMON_CACHE = join(__dirname, 'daemon.codecache')
const COMMAND_CACHE = join(__dirname, 'command.codecache')
/** The program begins with its own hash as a comment. */
const HASH_AT = 2
const HASH_CHARACTERS = 64

const hashOf = source => source.slice(HASH_AT, HASH_AT + HASH_CHARACTERS)

/** What a cache is good for. It is its first line: of the program V8 itself compares no more than the length. */
const headOf = source =>
  `${JSON.stringify({ program: hashOf(source), v8: process.versions.v8, arch: process.arch })}\n`

/** ASCII, as esbuild writes it: the text stays outside the heap, one byte a character. */
const readProgram = () => readFileSync(PROGRAM, 'latin1')

/** The code in a cache of this program for this V8. */
function codeIn(path, source) {
  if (!existsSync(path)) return undefined
  const file = readFileSync(path)
  const head = headOf(source)
  return file.latin1Slice(0, head.length) === head ? file.subarray(head.length) : undefined
}

const cachePathFor = argv => (argv.includes('daemon') ? DAEMON_CACHE : COMMAND_CACHE)

/** The script's value is the program, a function. */
const compile = (source, cachedData) => new Script(source, { filename: PROGRAM, cachedData })

function start() {
  const source = readProgram()
  const code = codeIn(cachePathFor(process.argv), source)
  if (code !== undefined) return compile(source, code).runInThisContext()(require, PROGRAM)
  // Another Node than that of the build: it keeps a cache of its own, which knows no function that was compiled later.
  enableCompileCache(join(__dirname, 'compile-cache'))
  require(PROGRAM)(require, PROGRAM)
}

module.exports = { cachePathFor, codeIn, compile, headOf, readProgram, start, PROGRAM }
if (require.main === module) start()
