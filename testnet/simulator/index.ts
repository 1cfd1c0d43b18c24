/**
 * The simulator: nodes with the product's own sync (tries, heads, sessions, sketches, views, frames as they are on the wire) over a
 * virtual clock, a virtual disk and a network that delays, loses, repeats and reorders messages, cuts streams and falls apart. Nodes publish
 * and contradict each other, crash, come back from backups and are copied; some break every rule. What must always hold is
 * checked while it runs and once everything is quiet. A seed decides all of it, so whatever fails can be seen again. In: a seed, a
 * number of nodes and steps. Out: figures, or the failure with the seed, the step and the last things that happened. It opens no
 * socket and no file. What it leaves out is what the product has around that core: QUIC, LevelDB, processes.
 *
 * Beside it mirroring (`mirror/`): hundreds of nodes with the product's planner, members and demand, and only as much of a node around
 * them as carries a plan out.
 */
export { SimulationFailure } from './failure.ts'
export type { Figures } from './figures.ts'
export { type MirrorFigures, repairRatio } from './mirror/figures.ts'
export { POLICY as MIRROR_POLICY } from './mirror/policy.ts'
export { exampleCandidate } from './mirror/releases.ts'
export { type MirrorProgress, simulateMirror } from './mirror/simulate.ts'
export { MISCHIEF_KINDS, type MischiefKind } from './mischief.ts'
export { MODES, type Mode } from './node.ts'
export { contentOf } from './publishers.ts'
export { type Progress, type SimulationOptions, simulate } from './simulate.ts'
