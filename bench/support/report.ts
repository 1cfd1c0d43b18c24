/** Writes a benchmark's figures as JSON and as a table. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, totalmem } from 'node:os'
import { GIB } from '../../base/index.ts'

const OUTPUT_FOLDER = '.bench'

export interface Row {
  name: string
  [figure: string]: string | number
}

export const report = (benchmark: string, settings: object, rows: Row[]): void => {
  const machine = {
    platform: platform(),
    arch: arch(),
    cores: cpus().length,
    cpu: cpus()[0]?.model,
    memoryGib: Math.round(totalmem() / GIB),
    node: process.version
  }
  mkdirSync(OUTPUT_FOLDER, { recursive: true })
  const path = `${OUTPUT_FOLDER}/${benchmark}.json`
  writeFileSync(
    path,
    `${JSON.stringify({ benchmark, at: new Date().toISOString(), machine, settings, rows }, null, 2)}\n`
  )
  console.log(`settings: ${JSON.stringify(settings)}`)
  console.table(Object.fromEntries(rows.map(({ name, ...figures }) => [name, figures])))
  console.log(`written to ${path}`)
}

export const round = (value: number, digits = 0): number => Number(value.toFixed(digits))
