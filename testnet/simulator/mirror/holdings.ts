import type { CidText } from '../../../mirror/index.ts'
import type { MirrorNode } from './node.ts'

/** Who has what on disk, found by content. */
export class Holdings {
  readonly #byContent = new Map<CidText, Set<MirrorNode>>()

  of(content: CidText): ReadonlySet<MirrorNode> {
    return this.#byContent.get(content) ?? NOBODY
  }

  add(content: CidText, node: MirrorNode): void {
    const nodes = this.#byContent.get(content) ?? new Set()
    this.#byContent.set(content, nodes.add(node))
  }

  remove(content: CidText, node: MirrorNode): void {
    this.#byContent.get(content)?.delete(node)
  }
}

const NOBODY: ReadonlySet<MirrorNode> = new Set()
