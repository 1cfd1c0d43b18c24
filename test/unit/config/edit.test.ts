import fc from 'fast-check'
import { parse, stringify } from 'smol-toml'
import { describe, expect, test } from 'vitest'
import { configTemplate, setConfigValue } from '../../../config/index.ts'
import { tomlStatements } from '../../../config/toml-statements.ts'

describe('setConfigValue', () => {
  test('says of a list that is none how one is written, and calls the value what it is', () => {
    expect(() => setConfigValue('', 'network.bootstrap', '["/dnsaddr/a.org"]')).toThrow(
      /\(new value\), but must be a list .*, with a comma between two$/
    )
  })

  test('changes a value in place and keeps its comment', () => {
    const text = '# mine\n[store]\nquota = "1GB" # small disk\n\n[log]\nlevel = "info"\n'
    expect(setConfigValue(text, 'store.quota', '2GB')).toBe(text.replace('"1GB"', '"2GB"'))
  })

  test('puts a new value below its commented-out line of the template', () => {
    const edited = setConfigValue(configTemplate(), 'log.level', 'debug')
    expect(edited).toContain('# level = "info"\nlevel = "debug"\n')
    expect(edited.replace('level = "debug"\n', '')).toBe(configTemplate())
    expect(setConfigValue(edited, 'log.level', 'warn')).toContain('# level = "info"\nlevel = "warn"\n')
  })

  test('otherwise at the end of its section, or in a new one', () => {
    expect(setConfigValue('[log]\nfiles = 3\n\n# about the store\n[store]\n', 'log.level', 'warn')).toBe(
      '[log]\nfiles = 3\nlevel = "warn"\n\n# about the store\n[store]\n'
    )
    expect(setConfigValue('[log]\nfiles = 3\n', 'store.quota', '0')).toBe(
      '[log]\nfiles = 3\n\n[store]\nquota = "0"\n'
    )
    expect(setConfigValue('', 'mdns.enabled', 'false')).toBe('[mdns]\nenabled = false\n')
    expect(setConfigValue('[log]', 'mdns.enabled', 'false')).toBe('[log]\n\n[mdns]\nenabled = false\n')
  })

  test('in a section of a section, which stays apart from the one around it', () => {
    const text = '[store]\nquota = "1GB"\n\n[store.s3]\nbucket = "one"\n'
    expect(setConfigValue(text, 'store.s3.prefix', 'a/')).toBe(`${text}prefix = "a/"\n`)
    expect(setConfigValue(text, 'store.highWater', '0.5')).toBe(
      text.replace('"1GB"\n', '"1GB"\nhighWater = 0.5\n')
    )
    expect(setConfigValue('[store]\n', 'store.s3.bucket', 'one')).toBe(
      '[store]\n\n[store.s3]\nbucket = "one"\n'
    )
    const edited = setConfigValue(configTemplate(), 'store.s3.bucket', 'one')
    expect(edited).toContain('# bucket = ""\nbucket = "one"\n')
  })

  test('beside dotted keys, and over values of several lines', () => {
    expect(setConfigValue('log.files = 3\n', 'log.level', 'warn')).toBe('log.files = 3\nlog.level = "warn"\n')
    const list = '[network]\nbootstrap = [\n  # first\n  "/dnsaddr/a.org", # ]\n]\nid = "x"\n'
    expect(setConfigValue(list, 'network.bootstrap', '/dnsaddr/b.org')).toBe(
      '[network]\nbootstrap = ["/dnsaddr/b.org"]\nid = "x"\n'
    )
  })

  test('keeps the line breaks of the file', () => {
    expect(setConfigValue('[log]\r\nfiles = 3\r\n', 'log.level', 'warn')).toBe(
      '[log]\r\nfiles = 3\r\nlevel = "warn"\r\n'
    )
  })

  test('refuses what it cannot do without rewriting', () => {
    expect(() => setConfigValue('log = { files = 3 }\n', 'log.level', 'warn')).toThrow(
      expect.objectContaining({ code: 'CONFIG_SYNTAX' })
    )
  })

  test('refuses unknown keys, bad values and files that are wrong already', () => {
    const codeOf = (text: string, key: string, value: string): unknown => {
      try {
        return setConfigValue(text, key, value)
      } catch (error) {
        return (error as { code: string }).code
      }
    }
    expect(codeOf('', 'log.leve', 'warn')).toBe('CONFIG_UNKNOWN_KEY')
    expect(codeOf('', 'log.level', 'loud')).toBe('CONFIG_BAD_VALUE')
    expect(codeOf('[log', 'log.level', 'warn')).toBe('CONFIG_SYNTAX')
    expect(codeOf('[logg]\nlevel = "info"', 'log.level', 'warn')).toBe('CONFIG_UNKNOWN_KEY')
  })
})

describe('statements of a TOML text', () => {
  test('strings, comments and brackets do not lead astray', () => {
    const text = [
      'a = "# no comment = \\" ] "  # a comment',
      "b.'c d' = '''",
      '[no.table]',
      'x = 1',
      "'''''",
      'd = { e = "}", f = [1, [2]] }',
      '[t."u.v"] # x = 1',
      'g = """q""""',
      '[[h]]',
      'i = 1979-05-27 07:32:00'
    ].join('\n')
    parse(text)
    expect(tomlStatements(text).map(({ path, line, kind }) => [path.join('/'), line, kind])).toEqual([
      ['a', 1, 'value'],
      ['b/c d', 2, 'value'],
      ['d', 6, 'value'],
      ['t/u.v', 7, 'table'],
      ['t/u.v/g', 8, 'value'],
      ['h/[]', 9, 'table'],
      ['h/[]/i', 10, 'value']
    ])
    const value = ({ valueStart, valueEnd }: { valueStart: number; valueEnd: number }): string =>
      text.slice(valueStart, valueEnd)
    expect(value(tomlStatements(text)[0]!)).toBe('"# no comment = \\" ] "')
    expect(value(tomlStatements(text)[4]!)).toBe('"""q""""')
  })

  test('of whatever the library writes, every value stands where the scan says', () => {
    const scalar = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.array(fc.string(), { maxLength: 3 }))
    const table = fc.dictionary(fc.string({ minLength: 1 }), scalar, { maxKeys: 4, noNullPrototype: true })
    fc.assert(
      fc.property(
        fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), table, { maxKeys: 4, noNullPrototype: true }),
        document => {
          const text = stringify(document)
          const values = tomlStatements(text).filter(({ kind }) => kind === 'value')
          expect(values).toHaveLength(
            Object.values(document).reduce((sum, keys) => sum + Object.keys(keys).length, 0)
          )
          for (const { valueStart, valueEnd, line, start } of values) {
            parse(`x = ${text.slice(valueStart, valueEnd)}`)
            expect(text.slice(0, start).split('\n')).toHaveLength(line)
          }
        }
      )
    )
  })
})
