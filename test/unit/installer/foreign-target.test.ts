/** Targets that came with a foreign folder: nothing in them leads an install out of them. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { InstallTarget } from '../../../library/index.ts'
import { commitSteps, type JournalStep } from '../../../library/installer/journal.ts'
import { file, packageOf, pieces, remove, tarOf, temporaryFolder, treeOf, writeTree } from './support.ts'

let top: string
let dir: string
beforeEach(() => {
  top = temporaryFolder()
  dir = path.join(top, 'vendor')
})
afterEach(() => remove(top))

/** Installs `tool`, or only takes away what is not asked for. */
async function install(tool: boolean): Promise<void> {
  const target = InstallTarget.open(dir)
  try {
    const items = [file('index.js', 'one')]
    if (tool) await target.stage(packageOf('tool', '1.0.0', items), pieces(tarOf(items)))
    target.commit({ exact: !tool })
  } finally {
    target.close()
  }
}

describe('what stands in the way of an install is named', () => {
  it.each([
    ['vendor', { vendor: 'mine' }],
    ['vendor/.catalog', { 'vendor/.catalog': 'mine' }]
  ])('%s', (name, tree) => {
    writeTree(top, tree)
    expect(() => InstallTarget.open(dir)).toThrow(
      expect.objectContaining({ code: 'TARGET_REFUSED', message: `${path.join(top, name)} is not a folder` })
    )
    expect(readFileSync(path.join(top, name), 'utf8')).toBe('mine')
  })
})

describe('an install is not led out of its target', () => {
  it.each([
    ['scope', '@s', '-> ../x', { kind: 'folder', action: 'take', target: '@s/mine' }],
    [
      'folder of old things',
      '.catalog/old',
      '-> ../../x',
      { kind: 'folder', action: 'take', target: 'tool' }
    ],
    [
      'staging',
      '.catalog/staging',
      '-> ../../x/staged',
      { kind: 'folder', action: 'put', target: 'tool', replaces: true }
    ]
  ])('by a journal beside a link out of the target that stands for its %s', (_, name, link, step) => {
    const steps = JSON.stringify({ journalVersion: 1, steps: [step] })
    writeTree(dir, { '.catalog/journal.json': steps, 'tool/a': 'tool', [name]: link })
    writeTree(top, { 'x/mine/file': 'mine', 'x/staged/0/file': 'mine' })
    const before = treeOf(path.join(top, 'x'))
    expect(() => InstallTarget.open(dir)).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
    expect(treeOf(path.join(top, 'x'))).toEqual(before)
    expect(readFileSync(path.join(dir, 'tool/a'), 'utf8')).toBe('tool')
  })

  it('by a list of what is installed that leads through a link', async () => {
    const installed = JSON.stringify({ installed: ['@s/mine'] })
    writeTree(dir, { '.catalog/installed.json': installed, '@s': '-> ../x' })
    writeTree(top, { 'x/mine/file': 'mine' })
    await expect(install(false)).rejects.toMatchObject({ code: 'TARGET_REFUSED' })
    expect(readFileSync(path.join(top, 'x/mine/file'), 'utf8')).toBe('mine')
  })

  it.each(['catalog-lock.json', '.catalog/journal.json'])(
    'nor made to read a device without end, by %s',
    name => {
      writeTree(dir, { [name]: '-> /dev/zero' })
      expect(() => InstallTarget.open(dir).readLock()).toThrow(/is not a file/)
    }
  )

  it('nor writes through a link that stands in the place of its lock', async () => {
    writeTree(dir, { '.catalog/holder': '-> ../../x/mine' })
    writeTree(top, { 'x/mine': 'mine' })
    await install(true)
    expect(readFileSync(path.join(top, 'x/mine'), 'utf8')).toBe('mine')
    writeTree(dir, { '.catalog/lock': '-> ../../x/made' })
    expect(() => InstallTarget.open(dir)).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
    expect(readdirSync(path.join(top, 'x'))).toEqual(['mine'])
  })
})

describe('commitSteps', () => {
  it('does nothing when the journal cannot be written', () => {
    writeTree(dir, { '.catalog/journal.json.new/x': '', '.catalog/staging/0/f': 'x' })
    const steps: JournalStep[] = [{ kind: 'folder', action: 'put', target: 'a', replaces: false }]
    expect(() => commitSteps(dir, steps)).toThrow(expect.objectContaining({ code: 'TARGET_REFUSED' }))
    expect(existsSync(path.join(dir, 'a'))).toBe(false)
  })
})
