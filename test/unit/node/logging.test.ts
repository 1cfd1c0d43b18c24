import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createLogging } from '../../../node/logging/logging.ts'
import { prettyLine } from '../../../node/logging/pretty.ts'
import { LogRing } from '../../../node/logging/ring.ts'
import { fileSink, terminalSink } from '../../../node/logging/sinks.ts'
import { runInRequest } from '../../../node/request-context.ts'

function collected() {
  const lines: Array<Record<string, unknown>> = []
  const sink = { write: (text: string) => void lines.push(JSON.parse(text)), close: async () => {} }
  return { lines, logging: createLogging({ sink }, { level: 'info' }) }
}

describe('the log', () => {
  it('has level, time, fields and message, and no more', () => {
    const { lines, logging } = collected()
    logging.logger.child({ part: 'host' }).warn({ sizeBytes: 7 }, 'told')
    expect(lines).toEqual([
      { level: 40, time: expect.stringMatching(/^\d{4}-.*Z$/), part: 'host', sizeBytes: 7, msg: 'told' }
    ])
  })

  it('changes its level for loggers that exist already', () => {
    const { lines, logging } = collected()
    const child = logging.logger.child({ part: 'host' })
    child.debug({}, 'one')
    logging.level = 'debug'
    child.debug({}, 'two')
    logging.level = 'error'
    child.warn({}, 'three')
    child.error({}, 'four')
    expect(lines.map(line => line.msg)).toEqual(['two', 'four'])
  })

  it('carries the request id through everything that a request awaits', async () => {
    const { lines, logging } = collected()
    await runInRequest('r-1', async () => {
      await new Promise(resolve => setImmediate(resolve))
      logging.logger.info({}, 'inside')
    })
    logging.logger.info({}, 'outside')
    expect(lines.map(line => line.requestId)).toEqual(['r-1', undefined])
  })

  it('keeps a bounded number of recent lines and bytes', () => {
    const ring = new LogRing({ maxLines: 3, maxBytes: 10 })
    for (const text of ['aaaa', 'bbbb', 'cccc', 'dd']) ring.push({ level: 30, text })
    expect(ring.recent().map(line => line.text)).toEqual(['bbbb', 'cccc', 'dd'].slice(0))
    ring.push({ level: 30, text: 'e'.repeat(50) })
    expect(ring.recent()).toEqual([])
  })

  it('is readable on a terminal, and no peer can move the cursor', () => {
    const json = `${JSON.stringify({
      level: 30,
      time: '2026-01-02T03:04:05.678Z',
      name: 'a b',
      n: 7,
      msg: 'hi \u001b[2J\nthere'
    })}\n`
    expect(prettyLine(json, false)).toBe('03:04:05.678 info  hi ?[2J?there name="a b" n=7\n')
    expect(prettyLine(json, true)).toContain('\u001b[32minfo \u001b[0m')
    const written: string[] = []
    for (const colour of [true, false])
      terminalSink({ write: text => written.push(String(text)) > 0 }, colour).write(json)
    expect(written).toEqual([prettyLine(json, true), prettyLine(json, false)])
  })

  it('goes into a file that rotates and stays within its number', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'catalog-log-'))
    const sink = fileSink({ folder, maxFileBytes: 2048, maxFiles: 2 })
    const logging = createLogging({ sink }, { level: 'info' })
    for (let i = 0; i < 100; i++) logging.logger.info({ i, filler: 'x'.repeat(100) }, 'line')
    await logging.close()
    const files = (await readdir(folder)).sort()
    expect(files[0]).toBe('catalog.log')
    expect(files.filter(file => /^catalog\.log\.\d$/.test(file)).length).toBeLessThanOrEqual(2)
    const last = (await readFile(join(folder, 'catalog.log'), 'utf8')).trim().split('\n').at(-1)
    expect(JSON.parse(last ?? '')).toMatchObject({ i: 99 })
    expect((await stat(join(folder, 'catalog.log'))).mode & 0o777).toBe(0o600)
    await rm(folder, { recursive: true })
  })

  it('does not stop the daemon when it cannot be written', async () => {
    const sink = fileSink({ folder: '/proc/nowhere', maxFileBytes: 2048, maxFiles: 2 })
    const logging = createLogging({ sink }, { level: 'info' })
    logging.logger.info({}, 'lost')
    await logging.close()
    expect(logging.ring.recent()).toHaveLength(1)
  })
})
