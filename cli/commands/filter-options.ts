import type { PackageType } from '../../library/index.ts'
import type { OptionSpec } from '../framework/tree.ts'

/** Spelled out, so that help does not load the library. */
export const PACKAGE_TYPES: readonly PackageType[] = ['package', 'library', 'template', 'vm', 'container']

/** Of which releases of a library content comes, and which join home: all that are given must hold. */
export const FILTER_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--type <type>',
    description: 'releases of this type only: their content, and what joins',
    choices: PACKAGE_TYPES
  },
  { flags: '--tag <keyword>', description: 'the same of releases with this keyword' },
  { flags: '--category <word>', description: 'the same of releases of this category' },
  { flags: '--prefix <text>', description: 'the same of packages whose name begins so' },
  { flags: '--publisher <key>', description: 'the same of releases of this owner: a public key, z6Mk…' }
]
