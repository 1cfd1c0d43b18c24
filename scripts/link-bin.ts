/**
 * `prepare`: puts `catalog` among the commands of node_modules, as npm does for every package but the project itself.
 * `npx catalog` then starts it at once instead of installing the project into a cache first.
 */
import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join, resolve } from 'node:path'

const BIN = resolve(import.meta.dirname, '../node_modules/.bin')

mkdirSync(BIN, { recursive: true })
rmSync(join(BIN, 'catalog'), { force: true })
symlinkSync('../../bin/catalog.cjs', join(BIN, 'catalog'))
