import { describe, expect, it } from 'vitest'
import { COMMANDS, type CommandSpec } from '../../../cli/index.ts'
import { cli } from './support/cli.ts'

describe('wrong usage', () => {
  it.each([
    ['an unknown command', ['publsh'], "unknown command 'publsh'", 'did you mean publish?'],
    ['an unknown sub-command', ['key', 'crate'], "unknown command 'crate'", 'did you mean create?'],
    ['an unknown flag', ['install', '--frozn'], "unknown option '--frozn'", 'did you mean --frozen?'],
    ['no sub-command', ['peers'], 'a command is missing', '`catalog peers --help`'],
    ['too many words for a sub-command', ['peers', 'list', 'x'], 'too many', '`catalog peers list --help`'],
    [
      'a command of a later release',
      ['key', 'rotate'],
      '`catalog key rotate` is not there yet',
      'later release'
    ],
    ['a missing argument', ['publish'], "missing required argument 'dir'", ''],
    ['too many arguments', ['status', 'x'], 'too many arguments', ''],
    ['a flag without its value', ['fetch', 'x', '--from'], "option '--from <peer>' argument missing", ''],
    ['a value that is none of the choices', ['log', '--level', 'urgent'], 'Allowed choices are trace', ''],
    ['no number', ['publish', '.', '--wait', 'x'], "'x' is not a whole number", ''],
    ['more than can be waited for', ['publish', '.', '--wait', '50'], "'50' is more than 20", ''],
    ['a longer page than there is', ['list', '--limit', '1001'], "'1001' is more than 1000", ''],
    ['longer than the daemon waits', ['status', '--timeout', '8d'], "'8d' is more than 7d", ''],
    ['help for what is no command', ['help', 'publsh'], "unknown command 'publsh'", 'did you mean publish?'],
    [
      'help for no sub-command',
      ['help', 'peers', 'conect'],
      "unknown command 'conect'",
      'did you mean connect?'
    ],
    ['help in a group for none', ['peers', 'help', 'x'], "unknown command 'x'", '`catalog peers --help`'],
    [
      'a value of two lines',
      ['status', '--timeout', 'so\non'],
      'is not a duration',
      '`catalog status --help`'
    ],
    ['no duration', ['status', '--timeout', 'soon'], 'is not a duration', ''],
    ['no key=value', ['daemon', '--set', 'x'], 'not of the form key=value', ''],
    ['verify of nothing', ['verify'], 'verify needs a release, or --all', 'catalog verify --all'],
    ['verify of both', ['verify', 'x', '--all'], 'give a release or --all, not both', ''],
    ['install without a folder', ['install', 'x'], 'needs a folder', '--to DIR'],
    ['install into a variable that is not set', ['install', 'x', '--to', ''], 'a path is empty', 'give .'],
    ['publish of one', ['publish', ''], 'a path is empty', 'give .'],
    ['a home of one', ['status', '--home', ''], 'the home is empty', '--home .'],
    ['install of nothing', ['install', '--to', 'x'], 'at least one release', '--frozen'],
    ['errors that are followed', ['log', '--errors', '--follow'], 'neither --follow nor', 'only --since'],
    ['errors of a level', ['log', '--errors', '--level', 'warn'], 'neither --follow nor', 'only --since'],
    ['frozen install of a name', ['install', 'x', '--frozen', '--to', 'y'], 'takes no names', '']
  ])('%s exits 2 and says so in one line', async (_, argv, message, hint) => {
    const { status, stdout, stderr } = await cli(argv)
    expect(status).toBe(2)
    expect(stdout).toBe('')
    expect(stderr).toMatch(/^catalog: INVALID_ARGUMENT: .+\n$/)
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
  })

  it('prints the help when there is no command, and still exits 2', async () => {
    const { status, stdout, stderr } = await cli([])
    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain('Commands:')
    expect(stderr).toMatch(/catalog: INVALID_ARGUMENT: a command is missing; .*\n$/)
  })

  it('is a JSON document on stdout with --json, wherever that stands', async () => {
    for (const argv of [['--json'], ['--json', 'publsh'], ['publsh', '--json'], ['fetch', '--json']]) {
      const result = await cli(argv)
      expect(result.status).toBe(2)
      expect(result.stderr).toBe('')
      expect(result.json().error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.any(String) })
    }
  })

  it('takes --json after -- for what it is: a name', async () => {
    const result = await cli(['fetch', 'a', '--', '--json'])
    expect(result.status).toBe(2)
    expect(result.stdout).toBe('')
  })

  it('refuses Windows clearly', async () => {
    const result = await cli(['status', '--json'], { platform: 'win32' })
    expect(result.status).toBe(1)
    expect(result.json().error).toMatchObject({ code: 'UNSUPPORTED', hint: expect.stringContaining('WSL') })
  })
})

describe('help', () => {
  const leaves = (specs: CommandSpec[], parents: string[] = []): Array<[string[], CommandSpec]> =>
    specs.flatMap(spec =>
      spec.commands === undefined
        ? [[[...parents, spec.name], spec] as [string[], CommandSpec]]
        : leaves(spec.commands, [...parents, spec.name])
    )

  it('lists every command', async () => {
    const { status, stdout } = await cli(['--help'])
    expect(status).toBe(0)
    for (const { name, summary } of COMMANDS) {
      expect(stdout).toContain(`  ${name}`)
      expect(stdout.replace(/\s+/g, ' ')).toContain(summary)
    }
  })

  it.each(leaves(COMMANDS).map(([path, spec]) => [path.join(' '), path, spec] as const))(
    'of `%s` names its options, the global ones and its examples',
    async (_, path, spec) => {
      const { status, stdout, stderr } = await cli([...path, '--help'])
      expect([status, stderr]).toEqual([0, ''])
      for (const { flags } of spec.options ?? []) expect(stdout).toContain(flags)
      for (const { line } of spec.examples ?? []) expect(stdout).toContain(line)
      expect(stdout).toContain('--home <dir>')
      // What belongs to the command comes first; its help is no option of its own.
      expect(stdout.indexOf('Options:') < stdout.indexOf('Global options:')).toBe(true)
      expect(stdout.includes('\nOptions:')).toBe((spec.options ?? []).length > 0)
    }
  )

  it.each([
    [['help'], 'Usage: catalog [options] [command]'],
    [['--json', 'help'], 'Usage: catalog [options] [command]'],
    [['help', 'publish'], 'Usage: catalog publish [options] <dir>'],
    [['help', 'peers'], 'Usage: catalog peers [options] [command]'],
    [['help', 'peers', 'limit'], 'Usage: catalog peers limit [options] <peer>'],
    [['peers', 'help', 'limit'], 'Usage: catalog peers limit [options] <peer>']
  ])('of %j is that of the command', async (argv, usage) => {
    const { status, stdout, stderr } = await cli(argv)
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain(usage)
  })

  it('of the program is text that the terminal may break where it likes', async () => {
    const [, , description = ''] = (await cli(['--help'])).stdout.split('\n')
    expect(description.length).toBeGreaterThan(80)
    const second = (await cli(['--help'])).stdout.split('\n')[3]
    expect(second).toMatch(/install it\.$/)
  })

  it('leaves --version of a command to the command', async () => {
    expect((await cli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
    const { status, stderr } = await cli(['publish', '/nonexistent', '--version', '1.2.3'])
    expect(status).toBe(1)
    expect(stderr).toContain('SOURCE_UNREADABLE')
  })
})
