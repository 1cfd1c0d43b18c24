import { displaySize, plural } from '../../base/index.ts'
import { type BackupSummary, restoreBackup, verifyBackup } from '../../node/index.ts'
import { type Context, resolvePath } from '../framework/context.ts'
import { formatFields } from '../framework/format.ts'
import { defineCommand } from '../framework/tree.ts'
import { backupFields } from './backup-fields.ts'
import { BACKUP_FILE, inputFile } from './input-file.ts'

interface Options {
  check?: boolean
}

export const run = defineCommand(async (context, [typed]: [string], { check = false }: Options) => {
  const file = resolvePath(context, typed)
  const { sizeBytes, pieces } = await inputFile(context, file, BACKUP_FILE)
  const summary = check
    ? await verifyBackup(pieces())
    : await restoreBackup(pieces(), {
        root: context.home,
        sizeBytes,
        signal: context.signal
      })
  context.progress.finish()
  const home = check ? undefined : context.home
  const result = { file, bytes: sizeBytes, ...(home && { home }), ...backupFields(summary) }
  context.output.result(result, () => shown(summary, sizeBytes, home))
  tellWhatIsNext(context, summary, check)
})

function shown({ state, rows, awaySegments }: BackupSummary, sizeBytes: number, home?: string): string {
  return formatFields([
    ['home', home],
    ['made', `${state.createdAt} by Catalog ${state.version}`],
    ['peer id', state.peerId],
    ['format', `${state.homeFormat}`],
    ['keys', state.hasKeys ? 'inside' : 'not inside'],
    ['database', plural(rows, 'row')],
    ['segments', `${state.segments}, ${displaySize(state.segmentBytes)}`],
    ['in the bucket', awaySegments > 0 ? plural(awaySegments, 'segment') : undefined],
    ['size', displaySize(sizeBytes)]
  ])
}

function tellWhatIsNext({ output, home }: Context, { state }: BackupSummary, isChecked: boolean): void {
  if (isChecked) return
  if (!state.hasKeys)
    output.warn(
      `the backup has no keys: put node.key and keyring/ of that node into ${home} before the daemon starts`
    )
  output.note(
    'Next: see to it that the node does not run anywhere else, then `catalog daemon`. What it published after the backup is to be published again.'
  )
}
