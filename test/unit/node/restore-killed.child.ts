/** Restores a backup and is killed before the byte of that number: `restore-killed.child.ts FILE HOME BYTE`. */
import { createReadStream, statSync } from 'node:fs'
import { restoreBackup } from '../../../node/backup/restore.ts'

const [file = '', root = '', byte = ''] = process.argv.slice(2)

async function* cut(): AsyncGenerator<Uint8Array> {
  let seen = 0
  for await (const piece of createReadStream(file, { highWaterMark: 1024 })) {
    seen += (piece as Buffer).byteLength
    if (seen > Number(byte)) process.kill(process.pid, 'SIGKILL')
    yield piece as Buffer
  }
}

await restoreBackup(cut(), { root, sizeBytes: statSync(file).size })
