/** What an operator asks of mirroring on a node that mirrors nothing: of what it was told before, pins are left, and can be taken back. */
import { CatalogError } from '../../../base/index.ts'
import type { MirrorPolicy } from '../../../mirror/index.ts'
import type { MirrorService } from '../types.ts'
import type { Copies, MirrorCopy } from './copies.ts'
import { type CopyModules, copyShape, unpinCopy } from './pins.ts'
import { MAX_TOLD, policyShape } from './service.ts'

export interface NoMirrorModules extends CopyModules {
  copies: Pick<Copies, 'of' | 'unpin' | 'all' | 'size'>
}

export function createNoMirrorService(modules: NoMirrorModules, policy: MirrorPolicy): MirrorService {
  const { copies } = modules
  const off = (): never => {
    throw new CatalogError('MIRRORING_OFF', 'this node does not mirror')
  }
  const shapeOf = (copy: MirrorCopy) =>
    copyShape(modules, copy, { bytes: undefined, isComing: false, holders: 0 })
  return {
    status: () => ({
      ...{ isEnabled: false, isMember: false, isFrozen: false, draining: null },
      ...{ region: null, capacityClass: null, members: 0, policy: policyShape(policy) },
      ...{ releases: { known: 0, isFull: false }, usedBytes: 0, waitingProofs: 0, planned: null },
      copies: [...copies.all()].slice(0, MAX_TOLD).map(shapeOf),
      copyCount: copies.size
    }),
    plan: off,
    run: async () => off(),
    drain: async () => off(),
    pin: async () => off(),
    async unpin(spec, publisher, signal) {
      return { ...shapeOf(await unpinCopy(modules, { spec, publisher }, signal)), isPinned: false }
    }
  }
}
