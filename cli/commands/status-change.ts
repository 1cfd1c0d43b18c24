import { CID } from 'multiformats/cid'
import { systemClock } from '../../base/index.ts'
import { createStatusRecord, nextSequence, type ReleaseState } from '../../library/index.ts'
import { type CommandRun, defineCommand } from '../framework/tree.ts'
import { ownRelease, publishChange } from './own-release.ts'
import { statusText } from './releases.ts'

interface Options {
  reason?: string
  replacement?: string
  key?: string
}

/** The command that signs a status as the owner of a release, and publishes it. */
export function changeStatus(state: ReleaseState): CommandRun {
  return defineCommand(async (context, [spec]: [string], { reason, replacement, key }: Options) => {
    const { release, signer } = await ownRelease(context, spec, key)
    const { name, version, content, statusSequence } = release
    const status = createStatusRecord(
      {
        name,
        version,
        content: CID.parse(content),
        state,
        sequence: nextSequence(systemClock.now(), statusSequence),
        ...(reason === undefined ? {} : { reason }),
        ...(replacement === undefined ? {} : { replacement })
      },
      signer
    )
    const item = await publishChange(context, 'POST', '/v1/statements', status)
    context.output.result(item, () => statusText(item))
  })
}
