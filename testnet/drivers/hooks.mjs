/**
 * Lies to a program about the machine it runs on: `node --import hooks.mjs PROGRAM`. The file that CATALOG_TESTNET_HOOKS names says
 * what (`Hooks` in driver.ts), and is read twice a second, so that it changes while the program runs. A worker loads this too.
 * JavaScript, as an image with nothing but the program can load it.
 */
import fs from 'node:fs'

const POLL_MS = 500
const path = process.env.CATALOG_TESTNET_HOOKS

let clockOffsetMs = 0
let diskDelayMs = 0

function read() {
  let hooks = {}
  try {
    hooks = JSON.parse(fs.readFileSync(path, 'utf8'))
  } catch (error) {
    // No file is no lie; one that is being written is read the next time.
    if (error.code !== 'ENOENT') return
  }
  clockOffsetMs = hooks.clockOffsetMs ?? 0
  diskDelayMs = hooks.diskDelayMs ?? 0
}

/** `Date`, with another now. */
function skewClock() {
  const RealDate = Date
  const now = () => RealDate.now() + clockOffsetMs
  class SkewedDate extends RealDate {
    constructor(...args) {
      super(...(args.length === 0 ? [now()] : args))
    }
    static now = now
  }
  globalThis.Date = SkewedDate
}

/** What the store writes goes through handles of files (`library/content/disk.ts`); LevelDB writes by itself. */
async function slowDisk() {
  const handle = await fs.promises.open(import.meta.filename)
  const prototype = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of ['write', 'writev', 'sync', 'datasync']) {
    const real = prototype[name]
    prototype[name] = async function (...args) {
      if (diskDelayMs > 0) await new Promise(resolve => setTimeout(resolve, diskDelayMs))
      return await real.apply(this, args)
    }
  }
}

if (path !== undefined) {
  read()
  skewClock()
  await slowDisk()
  setInterval(read, POLL_MS).unref()
}
