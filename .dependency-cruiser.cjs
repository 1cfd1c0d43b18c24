// The direction of dependencies (docs/architecture.md): a folder may import itself and what stands before it in
// LAYERS, through that folder's index.ts only. `protocols` and `library` are made of sub-folders that may see each other.
const LAYERS = [
  ['base'],
  ['config'],
  ['trust'],
  ['library'],
  ['protocols'],
  ['sync', 'discovery', 'topology'],
  ['mirror'],
  ['node'],
  ['cli', 'web', 'testnet']
]
const forbidden = [
  {
    name: 'no-cycles',
    severity: 'error',
    comment: 'a cycle hides which part depends on which',
    from: {},
    to: { circular: true, dependencyTypesNot: ['type-only'] }
  },
  {
    name: 'no-orphan-resolution',
    severity: 'error',
    comment: 'an import that does not resolve',
    from: {},
    to: { couldNotResolve: true }
  },
  {
    name: 'no-dev-dependency',
    severity: 'error',
    comment: 'the product runs without dev-dependencies',
    from: { path: '^(base|config|trust|library|protocols|sync|discovery|topology|mirror|node|cli|web)/' },
    to: { dependencyTypes: ['npm-dev'] }
  }
]
LAYERS.forEach((folders, rank) => {
  const above = LAYERS.slice(rank + 1).flat()
  if (above.length > 0) {
    forbidden.push({
      name: `direction-${folders.join('-')}`,
      severity: 'error',
      comment: 'dependencies point one way',
      from: { path: `^(${folders.join('|')})/` },
      to: { path: `^(${above.join('|')}|test|bench|scripts)/` }
    })
  }
  for (const folder of folders) {
    const siblings = folders.filter(other => other !== folder)
    if (siblings.length > 0)
      forbidden.push({
        name: `siblings-${folder}`,
        severity: 'error',
        comment: 'parts of one rank do not know each other',
        from: { path: `^${folder}/` },
        to: { path: `^(${siblings.join('|')})/` }
      })
    forbidden.push({
      name: `index-of-${folder}`,
      severity: 'error',
      comment: 'the index is the whole public surface',
      from: {
        path: '^(base|config|trust|library|protocols|sync|discovery|topology|mirror|node|cli|web|testnet)/',
        pathNot: `^${folder}/`
      },
      to: { path: `^${folder}/`, pathNot: `^${folder}/index\\.ts$` }
    })
  }
})
module.exports = {
  forbidden,
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.js', '.mjs', '.cjs', '.json', '.d.ts']
    }
  }
}
