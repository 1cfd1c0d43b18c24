/**
 * The daemon as a process: arguments and environment in, one ready line out, signals and the unforeseen handled. Everything
 * that makes a node stands in daemon.ts; a program that embeds a node uses that.
 */
import { setFlagsFromString } from 'node:v8'
import { type Clock, SECOND_MS, systemClock, toCatalogError } from '../base/index.ts'
import { type Config, loadConfig } from '../config/index.ts'
import { createDaemon, type Daemon, STOP_TIMEOUT_MS } from './daemon.ts'
import { CURRENT_FORMAT } from './home/format.ts'
import { openHome } from './home/home.ts'
import type { HomeLayout } from './home/layout.ts'
import { migrationLines } from './home/migration-lines.ts'
import { createLogging, type Logging } from './logging/logging.ts'
import { fileSink, terminalSink } from './logging/sinks.ts'
import { VERSION } from './version.ts'

export interface StartOptions {
  /** Path of the home. */
  home: string
  /** Settings by key, as from `--set key=value`. */
  flags?: Readonly<Record<string, unknown>>
  profile?: string
  env?: NodeJS.ProcessEnv
  /** The ready line as JSON. */
  json: boolean
  /** Where the ready line goes. */
  stdout?: NodeJS.WritableStream
  /** Where lines for people go, when it is a terminal. */
  stderr?: NodeJS.WriteStream
  /** Lines on a terminal have colours. */
  colour?: boolean
  /** Aborted by a signal that came before the daemon listens to signals itself: it then stops as soon as it has started. */
  signal?: AbortSignal
}

/** What `daemon --json` prints when it is ready. */
export interface ReadyLine {
  event: 'ready'
  peerId: string
  addresses: string[]
  socket: string
  version: string
}

/** Of V8. Put back by scripts/record-code-cache.ts: a code cache is only good for the flags it was made with. */
const SMALL_HEAP_FLAGS = ['--optimize-for-size', '--semi-space-growth-factor=1']
/** After the time for a stop, for what the event loop still has to do, such as writing the last log line. */
const LAST_WORDS_MS = SECOND_MS / 2

/**
 * Runs a daemon in this process until a signal or a fatal error ends it; resolves with the exit status. Errors of the start are
 * thrown, with everything undone.
 */
export async function startDaemon(options: StartOptions): Promise<number> {
  const { env = process.env, stdout = process.stdout, stderr = process.stderr } = options
  const load = (home: HomeLayout, text?: string) =>
    loadConfig({
      file: home.config,
      ...(text === undefined ? {} : { text }),
      env,
      flags: options.flags ?? {},
      ...(options.profile === undefined ? {} : { profile: options.profile })
    })
  const tell = migrationLines({ clock: systemClock }, line => stderr.write(`catalog: ${line}\n`))
  let oldFormat: number | undefined
  const home = await openHome(options.home, {
    // The log is not open yet: where it goes stands in the home that is being migrated.
    onProgress: progress => {
      // A daemon at work does it after its start, which it would slow down.
      if (oldFormat === undefined) keepHeapSmall()
      oldFormat ??= progress.from
      tell(progress)
    },
    signal: options.signal
  })
  const config = load(home)
  const logging = openLog(home, config.values, stderr, options.colour === true)
  try {
    if (oldFormat !== undefined)
      logging.logger.info({ from: oldFormat, to: CURRENT_FORMAT }, 'the home was migrated')
    for (const warning of config.warnings) {
      logging.logger.warn({ warning }, 'configuration')
      // Without a terminal the log is a file, which nobody who starts a daemon has open.
      if (!stderr.isTTY) stderr.write(`catalog: warning: ${warning}\n`)
    }
    keepHeapSmall()
    const modules = { logging, clock: systemClock }
    const daemon = await createDaemon(modules, { home, config, reloadConfig: text => load(home, text) })
    const { signal } = options
    const ended = untilEnded(daemon, logging, systemClock, signal)
    if (signal?.aborted !== true) stdout.write(readyText(daemon, options.json))
    return await ended
  } finally {
    await logging.close()
  }
}

/**
 * V8 makes room for what a start throws away, and under load lets the young objects of each thread grow to 64 MB. A daemon
 * moves bytes that lie outside its heap, so it gains little by that: without it a sink of 4 GiB takes 113 MB above idle where it
 * took 238 (docs/measurements.md). It holds for the worker too, which starts later.
 */
function keepHeapSmall(): void {
  for (const flag of SMALL_HEAP_FLAGS) setFlagsFromString(flag)
}

/** People at a terminal read the log there; a service writes files, which rotate. */
function openLog(home: HomeLayout, { log }: Config, stderr: NodeJS.WriteStream, colour: boolean): Logging {
  const sink = stderr.isTTY
    ? terminalSink(stderr, colour)
    : fileSink({ folder: home.logs, maxFileBytes: log.maxSize, maxFiles: log.files })
  return createLogging({ sink }, { level: log.level })
}

function readyText({ peerId, addresses, socketPath }: Daemon, json: boolean): string {
  const ready: ReadyLine = { event: 'ready', peerId, addresses, socket: socketPath, version: VERSION }
  if (json) return `${JSON.stringify(ready)}\n`
  const where = addresses.length === 0 ? 'listening nowhere' : `listening on ${addresses.join(' ')}`
  return `catalog ${VERSION} is ready: ${peerId}, ${where}, socket ${socketPath}\n`
}

/**
 * SIGTERM and SIGINT drain and stop; a second one ends the process at once. What nobody caught is a bug: it is logged,
 * the state becomes error, and the daemon stops with status 1 rather than go on in a state nobody planned.
 */
function untilEnded(
  daemon: Daemon,
  logging: Logging,
  clock: Clock,
  early: AbortSignal | undefined
): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  let stopping = false
  const stop = (reason: string, status: number): void => {
    stopping = true
    const bound = new AbortController()
    // A part that hangs in its stop must not keep the process: the time that was promised is over.
    clock.wait(STOP_TIMEOUT_MS + LAST_WORDS_MS, bound.signal).then(
      () => process.exit(1),
      () => undefined
    )
    daemon.stop(reason).then(
      failed => {
        bound.abort()
        resolve(failed.length > 0 ? 1 : status)
      },
      err => {
        logging.logger.error({ err }, 'the stop failed')
        bound.abort()
        resolve(1)
      }
    )
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (stopping) process.exit(1)
    logging.logger.info({ signal }, 'stopping')
    stop(signal, 0)
  }
  const onFatal = (thrown: unknown, origin: string): void => {
    const err = toCatalogError(thrown)
    logging.logger.error({ err: err.cause ?? err, origin }, 'an error that nobody caught ends the daemon')
    if (stopping) return
    daemon.lifecycle.transition('error', origin)
    stop(origin, 1)
  }
  process.on('SIGTERM', onSignal)
  process.on('SIGINT', onSignal)
  process.on('uncaughtException', onFatal)
  process.on('unhandledRejection', thrown => onFatal(thrown, 'unhandledRejection'))
  if (early?.aborted === true) stop('a signal during the start', 0)
  return promise
}
