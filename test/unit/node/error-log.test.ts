import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { ErrorLog } from '../../../node/logging/error-log.ts'
import { createLogging } from '../../../node/logging/logging.ts'
import { createErrors } from '../../../node/services/errors.ts'

const HOUR = 3_600_000

const noted = (
  log: ErrorLog,
  atMs: number,
  fields: object,
  level: 'error' | 'warn' | 'debug' = 'warn'
): void => log.note({ atMs, level, message: 'it failed', fields: fields as Record<string, unknown> })

describe('the error log', () => {
  it('counts what lines of every level tell of, with the fields of their part', () => {
    const logging = createLogging({ sink: { write: () => {}, close: async () => {} } }, { level: 'error' })
    const heard: string[] = []
    logging.errors.onNoted(({ code, part }) => heard.push(`${part} ${code}`))
    const log = logging.logger.child({ part: 'sync' })
    log.debug({ peer: 'p', code: 'DIAL_FAILED', reason: 'nobody there' }, 'no library')
    log.error({ err: new CatalogError('DISK_IO', 'the disk is gone') }, 'bad')
    log.warn({ err: Object.assign(new Error('reset'), { name: 'StreamResetError' }) }, 'cut')
    log.info({ peer: 'p' }, 'nothing failed')
    expect(heard).toEqual(['sync DIAL_FAILED', 'sync DISK_IO', 'sync StreamResetError'])
    expect(logging.errors.list(0)).toContainEqual(
      expect.objectContaining({
        code: 'DIAL_FAILED',
        level: 'debug',
        peer: 'p',
        message: 'no library: nobody there'
      })
    )
  })

  it('takes what was wanted, or the end of the daemon, for no error', () => {
    const log = new ErrorLog()
    noted(log, 1, { code: 'ABORTED' })
    noted(log, 1, { err: new CatalogError('SHUTTING_DOWN', 'it stops') })
    noted(log, 1, { code: undefined })
    noted(log, 1, { err: 'text' })
    expect(log.list(0)).toEqual([])
  })

  it('has one entry for each code, part, peer and subject, with its times and worst level', () => {
    const log = new ErrorLog()
    noted(log, 5, { code: 'TIMEOUT', part: 'a', peer: 'p', name: 'x' }, 'error')
    noted(log, 9, { code: 'TIMEOUT', part: 'a', peer: 'p', name: 'x' }, 'debug')
    for (const other of [{ part: 'b' }, { peer: 'q' }, { name: 'y' }, { code: 'BUSY' }])
      noted(log, 7, { code: 'TIMEOUT', part: 'a', peer: 'p', name: 'x', ...other })
    expect(log.list(0)).toHaveLength(5)
    expect(log.list(8)).toMatchObject([{ code: 'TIMEOUT', firstMs: 5, lastMs: 9, times: 2, level: 'error' }])
  })

  it('counts those of a while by code, and their peers', () => {
    const log = new ErrorLog()
    for (const peer of ['p', 'q', 'r']) noted(log, HOUR, { code: 'RECORD_EARLY', peer })
    noted(log, 2 * HOUR, { code: 'RECORD_EARLY', peer: 'p' })
    noted(log, 2 * HOUR, { code: 'BUSY' })
    expect(log.since('RECORD_EARLY', HOUR)).toEqual({ times: 4, peers: 3 })
    expect(log.since('RECORD_EARLY', HOUR + 1)).toEqual({ times: 1, peers: 1 })
    expect(log.since('BUSY', 0)).toEqual({ times: 1, peers: 0 })
  })

  it('is bounded, whatever peers do', () => {
    const log = new ErrorLog()
    for (let at = 1; at <= 600; at++) noted(log, at, { code: 'BUSY', peer: `${at}`, name: 'n'.repeat(5000) })
    const all = log.list(0)
    expect([all.length, all[0]?.peer, all.at(-1)?.peer]).toEqual([500, '600', '101'])
    expect(JSON.stringify(all).length).toBeLessThan(500 * 1000)
    for (let at = 0; at < 100; at++) noted(log, 1000, { code: 'BUSY', peer: '600' })
    expect(log.since('BUSY', 1000).times, 'times of one entry').toBe(8)
  })

  it('keeps errors of which there are few, however many there are of others', () => {
    const log = new ErrorLog()
    for (let at = 1; at <= 3; at++) noted(log, at, { code: 'DISK_IO', name: `${at}` })
    for (let at = 1; at <= 600; at++) noted(log, at, { code: 'DIAL_FAILED', peer: `${at}` })
    for (let at = 1; at <= 600; at++) noted(log, at, { code: 'DIAL_FAILED', part: 'sync', peer: `${at}` })
    expect(log.since('DISK_IO', 0).times).toBe(3)
    expect(log.list(0)).toHaveLength(500)
    expect(log.since('DIAL_FAILED', 600), 'the last of each').toEqual({ times: 2, peers: 1 })
  })

  it('remembers what the file tells of the life before, and counts no line of this one twice', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'catalog-errors-'))
    try {
      const line = (atMs: number, fields: object): string =>
        JSON.stringify({
          level: 40,
          time: new Date(atMs).toISOString(),
          msg: 'then',
          part: 'sync',
          ...fields
        })
      const lines = [
        'half a line"}',
        line(HOUR, { code: 'TIMEOUT', peer: 'p' }),
        line(HOUR, { err: { type: 'CatalogError', code: 'DISK_IO', message: 'gone' } }),
        line(5 * HOUR, { code: 'BUSY' }),
        'null',
        ''
      ]
      await writeFile(join(folder, 'catalog.log'), lines.join('\n'))
      const errors = new ErrorLog()
      let nowMs = 2 * HOUR
      const clock = { now: () => nowMs, monotonicMs: () => 0, wait: async () => {} }
      const service = createErrors({ errors, clock }, { logs: folder })
      nowMs = 6 * HOUR
      noted(errors, nowMs, { code: 'TIMEOUT', part: 'sync', peer: 'p' })
      for (let time = 0; time < 2; time++)
        expect((await service.list(24 * HOUR)).errors).toMatchObject([
          { code: 'TIMEOUT', times: 2, firstAt: '1970-01-01T01:00:00.000Z', message: 'it failed' },
          { code: 'DISK_IO', message: 'then: gone', times: 1 }
        ])
      expect((await service.list(HOUR)).errors).toHaveLength(1)
    } finally {
      await rm(folder, { recursive: true })
    }
  })

  it('does without a file', async () => {
    const clock = { now: () => 0, monotonicMs: () => 0, wait: async () => {} }
    const service = createErrors({ errors: new ErrorLog(), clock }, { logs: '/nowhere' })
    expect(await service.list(1)).toEqual({ errors: [] })
  })
})
