import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeFolder } from '../../../base/index.ts'

let top: string
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'catalog-folder-'))
})
afterEach(() => rmSync(top, { recursive: true, force: true }))

describe('makeFolder', () => {
  it('makes what is missing, once', () => {
    const folder = join(top, 'a', 'b', 'c')
    expect(makeFolder(folder, 0o700)).toBe(true)
    expect(statSync(folder).mode & 0o777).toBe(0o700)
    expect(makeFolder(folder)).toBe(false)
    expect(makeFolder('/')).toBe(false)
  })

  it('refuses a file in its place or on its way', () => {
    writeFileSync(join(top, 'file'), '')
    expect(() => makeFolder(join(top, 'file'))).toThrow(expect.objectContaining({ code: 'EEXIST' }))
    expect(() => makeFolder(join(top, 'file', 'x'))).toThrow(expect.objectContaining({ code: 'ENOTDIR' }))
  })

  it.runIf(existsSync('/proc/self'))('ends where a file system makes no folders', () => {
    expect(() => makeFolder('/proc/catalog')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
    expect(() => makeFolder('/proc/catalog/a/b')).toThrow(expect.objectContaining({ code: 'ENOENT' }))
  })
})
