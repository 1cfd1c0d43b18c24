import { describe, expect, test } from 'vitest'
import { assertInvariant, CatalogError, ERROR_CODES, toCatalogError } from '../../../base/index.ts'

describe('errors', () => {
  test('a code that only the prototype of the table knows is none', () => {
    const json = { code: 'constructor', message: 'm', hint: 'h' } as never
    expect(CatalogError.fromJSON(json).code).toBe('INTERNAL')
  })

  test('cross a thread or socket as JSON and come back whole', () => {
    const error = new CatalogError('DISK_FULL', 'no room', { details: { path: '/x' } })
    const back = CatalogError.fromJSON(JSON.parse(JSON.stringify(error)))
    expect(back).toMatchObject({
      code: 'DISK_FULL',
      message: 'no room',
      details: { path: '/x' },
      hint: error.hint
    })
    expect([back.exitCode, back.httpStatus]).toEqual([error.exitCode, error.httpStatus])
  })

  test('any thrown value gets a code', () => {
    const withErrno = Object.assign(new Error('full'), { code: 'ENOSPC' })
    expect(toCatalogError(withErrno)).toMatchObject({ code: 'DISK_FULL', cause: withErrno })
    expect(toCatalogError(AbortSignal.abort().reason).code).toBe('ABORTED')
    expect(toCatalogError(new DOMException('late', 'TimeoutError')).code).toBe('TIMEOUT')
    expect(toCatalogError('text').message).toContain('text')
    const own = new CatalogError('BUSY', 'x')
    expect(toCatalogError(own)).toBe(own)
  })

  test('what the file system refuses has a code and names the path', () => {
    const refused = (code: string) =>
      Object.assign(new Error(`${code}: no`), { code, path: '/home/x/FORMAT' })
    for (const [errno, code] of [
      ['EACCES', 'HOME_PERMISSIONS'],
      ['EPERM', 'HOME_PERMISSIONS'],
      ['ENOTDIR', 'DISK_IO']
    ] as const)
      expect(toCatalogError(refused(errno))).toMatchObject({
        code,
        message: expect.stringContaining('/home/x/FORMAT')
      })
    // A socket has no path: nothing is known of a home then.
    expect(toCatalogError(Object.assign(new Error('bind'), { code: 'EACCES' })).code).toBe('INTERNAL')
  })

  test('are one line, whatever a library or a path brings', () => {
    const error = new CatalogError('INTERNAL', 'listen:\n  \r\n at x (y.js:1)\n', { hint: 'a\u2028b' })
    expect([error.message, error.hint]).toEqual(['listen: at x (y.js:1)', 'a b'])
    expect(toCatalogError(new Error('a\nb')).message).toBe('a b')
  })

  test('every code says what happened and what to do', () => {
    for (const [code, { meaning, hint, http, exit }] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
      expect(meaning).toMatch(/^\S.+\.$/)
      expect(hint.length).toBeGreaterThan(10)
      expect(http).toBeGreaterThanOrEqual(400)
      expect(exit).toBeGreaterThan(0)
    }
  })

  test('a broken invariant is INTERNAL', () => {
    expect(() => assertInvariant(false, 'two is two')).toThrow(expect.objectContaining({ code: 'INTERNAL' }))
    expect(() => assertInvariant(1, 'one')).not.toThrow()
  })
})
