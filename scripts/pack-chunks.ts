/**
 * Packs the chunks of a split bundle into one script: a table of functions, of which each runs when somebody first needs
 * its chunk. One file has one code cache, and a chunk that is not needed costs a start no more than its text.
 */
import { basename } from 'node:path'
import { type OutputFile, transform } from 'esbuild'

/** Runs a chunk once; whatever is no chunk is Node's to find. */
const RUN =
  'const chunks={},ran={};' +
  'const run=name=>{if(!(name in chunks))return require(name);if(name in ran)return ran[name].exports;' +
  'const module=ran[name]={exports:{}};chunks[name](run,module,module.exports);return module.exports};'

interface Section {
  offset: { line: number; column: number }
  map: unknown
}

export interface Packed {
  text: string
  map: string
}

/**
 * `files` are the chunks and their maps as esbuild made them (format esm, sourcemap external), `entry` is the one to run.
 * The result is text to stand within a function that has `require`; its first line follows `lineOffset` others.
 */
export async function packChunks(
  files: readonly OutputFile[],
  entry: string,
  lineOffset: number
): Promise<Packed> {
  const maps = new Map(files.map(({ path, text }) => [basename(path), text]))
  const lines = [RUN]
  const sections: Section[] = []
  for (const [name, text] of maps) {
    if (!name.endsWith('.js')) continue
    const { code, map } = await transform(withMap(text, maps.get(`${name}.map`)), {
      format: 'cjs',
      platform: 'node',
      supported: { 'dynamic-import': false },
      minifySyntax: true,
      minifyWhitespace: true,
      lineLimit: 120,
      sourcemap: 'external',
      sourcefile: name
    })
    lines.push(`chunks["./${name}"]=function(require,module,exports){`)
    const line = lineOffset + lines.join('\n').split('\n').length
    sections.push({ offset: { line, column: 0 }, map: JSON.parse(map) })
    lines.push(code.trimEnd(), '};')
  }
  lines.push(`run("./${entry}")`)
  return { text: lines.join('\n'), map: JSON.stringify({ version: 3, sections }) }
}

/** esbuild follows a map that stands in the text it is given. */
const withMap = (text: string, map = '{}'): string =>
  `${text}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
