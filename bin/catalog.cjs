#!/usr/bin/env node
'use strict'
// Starts Catalog with a Node that can run it. `npx catalog` uses the machine's Node, which may be too old (this file
// itself runs on Node 18 and later); then the one installed beside Catalog (package `node`) takes over.
// Not an ES module: the loader of those costs a tenth of what an empty Node process does.
const { existsSync, readFileSync } = require('node:fs')
const { dirname, join } = require('node:path')

/** node:sqlite is quiet and TypeScript runs unflagged from here on. */
const LEAST_NODE = [24, 15]
const EXIT_FAILED = 1
const ROOT = dirname(__dirname)
const BUNDLE = join(ROOT, 'dist', 'catalog.cjs')
const FORWARDED_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2']
/** A terminal sends these to the whole process group: the child has them already, and a second one would count twice. */
const SENT_BY_TERMINAL = new Set(['SIGINT', 'SIGQUIT', 'SIGHUP'])

function fits(version) {
  const [major, minor] = version.replace(/^v/, '').split('.').map(Number)
  return major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])
}

/** Folders that may hold the package `node`: beside this file, or wherever a parent project put it. */
function nodePackages() {
  const folders = [join(ROOT, 'node_modules', 'node')]
  try {
    folders.push(dirname(require.resolve('node/package.json')))
  } catch {
    // Not installed there either; the caller says what to do.
  }
  return folders
}

function findNode() {
  for (const folder of nodePackages()) {
    const binary = join(folder, 'bin', 'node')
    if (!existsSync(binary)) continue
    if (fits(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).version)) return binary
  }
  return undefined
}

function findEntry() {
  return [BUNDLE, join(ROOT, 'cli', 'main.ts')].find(path => existsSync(path))
}

function fail(message) {
  process.stderr.write(`catalog: UNSUPPORTED: ${message}\n`)
  process.exit(EXIT_FAILED)
}

/** Becomes the right Node, or where this Node cannot replace itself, stays as a thin parent of it. */
function runWith(node, args) {
  if (typeof process.execve === 'function') process.execve(node, [node, ...args], process.env)
  const { spawn } = require('node:child_process')
  const { constants } = require('node:os')
  const child = spawn(node, args, { stdio: 'inherit' })
  for (const signal of FORWARDED_SIGNALS)
    process.on(signal, () => {
      if (!(process.stdin.isTTY === true && SENT_BY_TERMINAL.has(signal))) child.kill(signal)
    })
  child.on('error', error => fail(`${node} could not be started: ${error.message}`))
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}

if (process.platform === 'win32') fail('Catalog does not run on Windows; use WSL 2 or a Linux machine')
const entry = findEntry()
if (entry === undefined) fail(`${ROOT} holds neither dist/catalog.cjs nor the sources; install Catalog again`)
if (fits(process.versions.node)) {
  process.argv[1] = entry
  if (entry === BUNDLE) require(entry).start()
  else import(require('node:url').pathToFileURL(entry).href)
} else {
  const node = findNode()
  if (node === undefined)
    fail(
      `this is Node ${process.versions.node}, and Catalog needs ${LEAST_NODE.join('.')} or later; ` +
        'install it, or run `npm ci` in the folder of Catalog, which brings one'
    )
  runWith(node, [__filename, ...process.argv.slice(2)])
}
