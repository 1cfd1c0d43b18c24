/**
 * The direction of dependencies (docs/architecture.md), checked on the imports of every source file: static, dynamic
 * and type imports alike. A folder may import itself and what stands before it in LAYERS, through that folder's index.ts
 * only; parts of one rank do not know each other; value imports never form a cycle of files; product code needs no
 * dev-dependency. Tests, benchmarks and scripts may import any file.
 */
import { dirname, join, normalize } from 'node:path'

/** Ranks from the bottom up; folders of one rank stand side by side. */
export const LAYERS: readonly (readonly string[])[] = [
  ['base'],
  ['config'],
  ['trust'],
  ['library'],
  ['protocols'],
  ['sync', 'discovery', 'topology', 'ledger'],
  ['mirror'],
  ['node'],
  ['cli', 'web', 'testnet']
]
export const PRODUCT_FOLDERS: readonly string[] = LAYERS.flat()

export interface Import {
  readonly specifier: string
  readonly line: number
  /** Erased at run time, so it cannot be part of a cycle that matters; direction and index hold for it too. */
  readonly isTypeOnly: boolean
}

export interface SourceFile {
  /** Relative to the root, with `/`. */
  readonly path: string
  readonly imports: readonly Import[]
}

export interface Violation {
  readonly rule: 'direction' | 'siblings' | 'index' | 'dev-dependency' | 'cycle'
  readonly path: string
  readonly line: number
  readonly message: string
}

const topFolder = (path: string): string => path.split('/')[0]!
const rankOf = (folder: string): number => LAYERS.findIndex(layer => layer.includes(folder))
const isRelative = (specifier: string): boolean => specifier.startsWith('.')
const target = (path: string, specifier: string): string => normalize(join(dirname(path), specifier))

/** Everything that breaks a rule, in the order of the files. `dependencies` are those of package.json that ship. */
export function checkImports(files: readonly SourceFile[], dependencies: ReadonlySet<string>): Violation[] {
  const violations = files
    .filter(({ path }) => rankOf(topFolder(path)) >= 0)
    .flatMap(file => file.imports.flatMap(found => checkImport(file.path, found, dependencies)))
  return [...violations, ...findCycles(files)]
}

function checkImport(path: string, found: Import, dependencies: ReadonlySet<string>): Violation[] {
  const { specifier, line } = found
  const violation = (rule: Violation['rule'], message: string): Violation[] => [{ rule, path, line, message }]
  if (!isRelative(specifier)) {
    const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
    return specifier.startsWith('node:') || dependencies.has(name)
      ? []
      : violation('dev-dependency', `${name} is not among the dependencies that the product ships with`)
  }
  const from = topFolder(path)
  const to = target(path, specifier)
  const toFolder = topFolder(to)
  if (toFolder === from) return []
  if (to === 'package.json') return []
  const [fromRank, toRank] = [rankOf(from), rankOf(toFolder)]
  if (toRank < 0 || toRank > fromRank) return violation('direction', `${from} may not depend on ${toFolder}`)
  if (toRank === fromRank) return violation('siblings', `${from} and ${toFolder} do not know each other`)
  if (to !== `${toFolder}/index.ts`)
    return violation('index', `import ${toFolder}/index.ts, its whole public surface, not ${to}`)
  return []
}

/**
 * One violation per cycle of value imports, by depth-first search: a file that is met again while it is still on the
 * path closes a cycle.
 */
function findCycles(files: readonly SourceFile[]): Violation[] {
  const byPath = new Map(files.map(file => [file.path, file]))
  const state = new Map<string, 'on path' | 'done'>()
  const path: string[] = []
  const violations: Violation[] = []
  const visit = (file: SourceFile): void => {
    state.set(file.path, 'on path')
    path.push(file.path)
    for (const { specifier, line, isTypeOnly } of file.imports) {
      const next = isTypeOnly || !isRelative(specifier) ? undefined : byPath.get(target(file.path, specifier))
      if (next === undefined) continue
      if (state.get(next.path) === 'on path') {
        const cycle = [...path.slice(path.indexOf(next.path)), next.path]
        violations.push({ rule: 'cycle', path: file.path, line, message: cycle.join(' -> ') })
      } else if (!state.has(next.path)) visit(next)
    }
    path.pop()
    state.set(file.path, 'done')
  }
  for (const file of files) if (!state.has(file.path)) visit(file)
  return violations
}
