/** Installs version after version of a package into argv[2] until it is killed, and says on stdout what it begins. */
import { writeSync } from 'node:fs'
import { InstallTarget } from '../../../library/installer/target.ts'
import { killedPackage, pieces, tarOf, versionItems } from './support.ts'

const [, , dir = '', first = '1'] = process.argv
const say = (line: string): void => void writeSync(1, `${line}\n`)
for (let major = Number(first); ; major++) {
  const items = versionItems(major)
  const target = InstallTarget.open(dir)
  say(`begin ${major}`)
  await target.stage(killedPackage(major), pieces(tarOf(items), 4096), { onProgress: () => say('staging') })
  say('commit')
  target.commit({ exact: false })
  say('committed')
  target.close()
  say(`end ${major}`)
}
