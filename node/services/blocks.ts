import type { Registry } from '../../library/index.ts'
import type { BlockedShape } from '../block-schemas.ts'
import type { BlockDropping } from './block-dropping.ts'
import { BlockRules, idOf, subjectOf } from './block-rules.ts'
import type { Blocked, Blocking } from './blocking.ts'
import type { BlockService } from './types.ts'

export interface BlocksModules {
  blocking: Blocking
  dropping: Pick<BlockDropping, 'drop'>
  registry: Pick<Registry, 'get'>
  /** Told when peers may read less than before. */
  onAudienceChanged(): Promise<void>
  /** Told when something else is blocked than before, once what was here of it has gone. */
  onBlocksChanged(): void
}

/** What an operator asks of what is blocked. */
export function createBlocks(modules: BlocksModules): BlockService {
  const { blocking, dropping, registry } = modules

  /** A record that is here stands for its content, which other records may name. */
  function meantBy(text: string): string {
    const subject = subjectOf(text)
    const id = idOf(subject)
    return (id && registry.get(id))?.release.content.toString() ?? subject
  }

  return {
    async add({ subject: text, reason, isDryRun = false }, signal) {
      const subject = meantBy(text)
      if (isDryRun)
        return {
          subject,
          isDryRun,
          dropped: await dropping.drop(signal, { rules: new BlockRules([subject]), isDryRun })
        }
      const blocked = await blocking.add(subject, reason, signal)
      // From here on nobody is given anything of it, also where a stream is open.
      await modules.onAudienceChanged()
      const dropped = await dropping.drop(signal).finally(() => modules.onBlocksChanged())
      return { ...shapeOf(blocked), isDryRun, dropped }
    },
    list: () => ({ blocks: blocking.list().map(shapeOf) }),
    async remove(text, signal) {
      const blocked = await blocking.remove(meantBy(text), signal)
      modules.onBlocksChanged()
      return shapeOf(blocked)
    }
  }
}

const shapeOf = ({ blockedAt, ...rest }: Blocked): BlockedShape => ({
  ...rest,
  blockedAt: new Date(blockedAt).toISOString()
})
