import { CatalogError } from '../../base/index.ts'
import { checkName } from '../../library/index.ts'
import { viewOfName } from '../../sync/index.ts'
import { bytesEqual, formatPublicKey, parsePublicKey } from '../../trust/index.ts'
import type { ConflictItem, ConflictRule } from '../schemas.ts'
import { isScope, type NamePolicy } from './conflict-policies.ts'
import { claimantsOf, conflictItem } from './conflict-shapes.ts'
import { type Knowledge, keepNews, knownHere, withFound } from './knowledge.ts'
import { lookUp } from './lookup.ts'
import type { ResolvingModules } from './resolving.ts'
import type { ConflictService } from './types.ts'

/** Names that several owners claim: which there are, what each owner can show, and the operator's decision, which is kept on this node. */
export function createConflicts(modules: ResolvingModules): ConflictService {
  const { registry, policies } = modules

  function policyOf(name: string): NamePolicy & { pin: Uint8Array | undefined } {
    return { ...policies.of(name), pin: registry.ownerPin(name) }
  }

  /** What is known of a name, here and with whoever holds it. Nobody else need answer. */
  async function knownOf(name: string, network: boolean, signal: AbortSignal): Promise<Knowledge> {
    checkName(name)
    const here = await knownHere(modules, name, signal)
    if (!network) return here
    const found = await lookUp(modules, { name, settlesOwner: true }, signal).catch(error => {
      signal.throwIfAborted()
      if (here.records.length === 0) throw error
      return { records: [], statements: [] }
    })
    await keepNews(modules, here, found, registry.ownerPin(name), signal)
    return withFound(here, found)
  }

  function ruleOf(subject: string): ConflictRule {
    const { strategy, origin, subject: setFor } = policies.of(subject)
    const pin = isScope(subject) ? undefined : registry.ownerPin(subject)
    return {
      name: subject,
      strategy,
      origin,
      ...(setFor === undefined ? {} : { subject: setFor }),
      pinned: pin === undefined ? null : formatPublicKey(pin)
    }
  }

  async function pin(name: string, owner: Uint8Array, signal: AbortSignal): Promise<void> {
    const isKnown = ({ records }: Knowledge): boolean =>
      records.some(({ release }) => bytesEqual(release.owner, owner))
    // A key that was typed wrongly would keep every release of the name away.
    if (!isKnown(await knownOf(name, false, signal)) && !isKnown(await knownOf(name, true, signal)))
      throw new CatalogError('RELEASE_NOT_FOUND', `nothing called ${name} by this key was found`, {
        details: { name, publisher: formatPublicKey(owner) },
        hint: `\`catalog conflicts show ${name}\` lists who publishes it`
      })
    await registry.pinOwner(name, owner, signal)
  }

  return {
    async list(limit, after, signal) {
      const query = { limit, ...(after === undefined ? {} : { after }) }
      const { names, next } = await registry.contested(query, signal)
      const conflicts: ConflictItem[] = []
      for (const name of names) {
        const known = await knownHere(modules, name, signal)
        const policy = policyOf(name)
        conflicts.push(conflictItem(name, viewOfName(known, policy), policy))
      }
      return next === undefined ? { conflicts } : { conflicts, next }
    },
    async show(name, network, signal) {
      const known = await knownOf(name, network, signal)
      const policy = policyOf(name)
      // A pin holds before anything is known of the name.
      if (known.records.length === 0 && policy.pin === undefined)
        throw new CatalogError('RELEASE_NOT_FOUND', `nothing called ${name} is known here`, {
          details: { name },
          hint: 'check the name; without --local the network is asked too'
        })
      const view = viewOfName(known, policy)
      return { ...conflictItem(name, view, policy), claimants: claimantsOf(known, view, policy) }
    },
    async resolve(subject, resolution, signal) {
      if ('owner' in resolution) {
        checkName(subject)
        await pin(subject, parsePublicKey(resolution.owner), signal)
      } else await policies.set(subject, resolution.strategy, signal)
      return ruleOf(subject)
    }
  }
}
