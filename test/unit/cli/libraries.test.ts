import { afterEach, beforeEach, expect, it } from 'vitest'
import { release } from './support/answers.ts'
import { cli, temporaryFolder } from './support/cli.ts'
import { type FakeDaemon, startFakeDaemon } from './support/fake-daemon.ts'

const TEAM = {
  name: 'team',
  library: 'ab'.repeat(32),
  address: '12D3Own/team',
  access: 'restricted',
  members: ['12D3Bob'],
  releases: 2,
  records: 3,
  root: 'cd'.repeat(32),
  head: { epoch: 1, revision: 4, expires: '2026-01-08T00:00:00.000Z' },
  isExpired: false,
  listExpires: '2026-01-04T00:00:00.000Z'
}
const CLUB = { ...TEAM, name: 'club', address: '12D3Own/club', access: 'friends', group: 'pals', members: [] }
const FOLLOWED = {
  library: 'ef'.repeat(32),
  writer: '12D3Ada',
  name: 'tools',
  address: '12D3Ada/tools',
  access: 'closed',
  records: 7,
  root: 'cd'.repeat(32),
  head: TEAM.head,
  isExpired: false,
  syncedAt: '2026-01-01T00:00:00.000Z',
  isAdmitted: false,
  listExpires: TEAM.listExpires
}

let folder: ReturnType<typeof temporaryFolder>
let home: string
let daemon: FakeDaemon
beforeEach(async () => {
  folder = temporaryFolder()
  home = folder.folder
  daemon = await startFakeDaemon(home)
})
afterEach(async () => {
  await daemon.close()
  folder.remove()
})

const told = (): unknown => JSON.parse(daemon.seen.at(-1)!.body.toString())

it('makes no library without a word on whom it is for', async () => {
  const { stderr, status } = await cli(['library', 'create', 'team'], { home })
  expect(stderr).toContain('say whom the library is for; give --access')
  expect([status, daemon.seen]).toEqual([2, []])
})

it('makes a library for those who are named', async () => {
  daemon.routes.set('POST /v1/libraries', () => ({ status: 201, json: TEAM }))
  const args = ['library', 'create', 'team', '--access', 'restricted', '--member', '12D3Bob']
  const { stdout } = await cli(args, { home })
  expect(stdout).toBe('12D3Own/team is restricted: 1 other node\n12D3Bob\n')
  expect(told()).toEqual({ name: 'team', access: 'restricted', members: ['12D3Bob'] })
})

it('says that nobody is in the group that a library is for', async () => {
  daemon.routes.set('POST /v1/libraries', () => ({ status: 201, json: CLUB }))
  const { stderr } = await cli(['library', 'create', 'club', '--access', 'friends', '--group', 'pals'], {
    home
  })
  expect(stderr).toContain('Nobody is in the group yet: catalog group add pals PEERID')
})

it('says who is on the list after a change', async () => {
  daemon.routes.set('PUT /v1/libraries/team/members', () => ({ json: TEAM }))
  const granted = await cli(['library', 'grant', 'team', '12D3Bob', '12D3Eve'], { home })
  expect(told()).toEqual({ joining: ['12D3Bob', '12D3Eve'] })
  expect(granted.stdout).toContain('12D3Bob')
  await cli(['library', 'revoke', 'team', '12D3Eve'], { home })
  expect(told()).toEqual({ leaving: ['12D3Eve'] })
})

it('changes a group, and says which libraries are for it', async () => {
  const group = { name: 'pals', members: ['12D3Bob'], libraries: ['club'] }
  daemon.routes.set('PUT /v1/groups/pals/members', () => ({ json: group }))
  daemon.routes.set('GET /v1/groups', () => ({ json: { groups: [group] } }))
  const { stdout } = await cli(['group', 'add', 'pals', '12D3Bob'], { home })
  expect(stdout).toBe('the group pals: 1 other node\n12D3Bob\nlibraries that are for it: club\n')
  await cli(['group', 'remove', 'pals', '12D3Bob'], { home })
  expect(told()).toEqual({ leaving: ['12D3Bob'] })
  expect((await cli(['group', 'list'], { home })).stdout).toMatch(/pals +12D3Bob +club/)
})

it('lists own libraries and followed ones, and which of them are closed to this node by now', async () => {
  daemon.routes.set('GET /v1/libraries', () => ({ json: { own: [TEAM, CLUB], followed: [FOLLOWED] } }))
  const { stdout } = await cli(['library', 'list'], { home })
  expect(stdout).toMatch(/team +restricted +1 node +2 +4 +holds +12D3Own\/team/)
  expect(stdout).toMatch(/club +friends +pals: 0 nodes/)
  expect(stdout).toMatch(/12D3Ada\/tools +closed +7 +4 +not admitted/)
})

it('shows who may know of a library, one by one', async () => {
  daemon.routes.set('GET /v1/libraries/team', () => ({ json: TEAM }))
  const { stdout } = await cli(['library', 'show', 'team'], { home })
  expect(stdout).toMatch(/members +12D3Bob\nlist +holds until 2026-01-04/)
})

it('says whom a release is for where one that is listed is not for everybody', async () => {
  const packages = [release, { ...release, name: 'secret', access: 'private' }]
  const listing = async (of: object[]): Promise<string> => {
    daemon.routes.set('GET /v1/packages', () => ({ json: { packages: of } }))
    return (await cli(['list'], { home })).stdout
  }
  expect(await listing(packages)).toMatch(
    /STATUS +ACCESS +PUBLISHER\n.*published +public .*\n.*published +private /
  )
  expect(await listing([release])).toMatch(/STATUS +PUBLISHER\n/)
})

it('says what keeps a change of the configuration from having an effect', async () => {
  const answer = { key: 'sync.follow', value: ['12D3Ada'], restartNeeded: false }
  daemon.routes.set('PUT /v1/config/sync.follow', () => ({
    json: { ...answer, overriddenBy: 'env:CATALOG_SYNC_FOLLOW' }
  }))
  const { stderr } = await cli(['config', 'set', 'sync.follow', ''], { home })
  expect(stderr).toContain(
    'with no effect: sync.follow of this daemon comes from the variable CATALOG_SYNC_FOLLOW'
  )
})

it('follows a library with what is given, and says how', async () => {
  const follow = { ...FOLLOWED, content: 'all', mode: 'union', state: 'waiting', nextAt: '' }
  daemon.routes.set('POST /v1/follows', () => ({ json: follow }))
  const { stdout } = await cli(
    ['library', 'follow', '12D3Ada/tools', '--content', 'all', '--mode', 'union'],
    { home }
  )
  expect(stdout).toBe('12D3Ada/tools is followed: content all, and what is in it joins home\n')
  expect(told()).toEqual({ library: '12D3Ada/tools', content: 'all', mode: 'union' })
  await cli(['library', 'follow', '12D3Ada/tools'], { home })
  expect(told(), 'as it was').toEqual({ library: '12D3Ada/tools' })
  daemon.routes.set('POST /v1/follows', () => ({
    json: { ...follow, mode: 'mirror', prefix: '@acme/', tag: 'ci' }
  }))
  const filters = ['--tag', 'ci', '--prefix', '@acme/']
  const some = await cli(['library', 'follow', '12D3Ada/tools', ...filters], { home })
  expect(some.stdout).toBe('12D3Ada/tools is followed: content all, only of what is tag:ci prefix:@acme/\n')
  expect(told()).toEqual({ library: '12D3Ada/tools', tag: 'ci', prefix: '@acme/' })
  await cli(['library', 'follow', '12D3Ada/tools', '--everything'], { home })
  expect(told()).toEqual({ library: '12D3Ada/tools', everything: true })
  expect((await cli(['library', 'follow', '12D3Ada', '--type', 'song'], { home })).status).toBe(2)
  const { status } = await cli(['library', 'follow', '12D3Ada', '--content', 'some'], { home })
  expect(status).toBe(2)
})

it('follows a library no more, and says what became of the copy', async () => {
  const { writer, name, address } = FOLLOWED
  daemon.routes.set('DELETE /v1/follows/12D3Ada%2Ftools', () => ({
    json: { writer, name, address, hadCopy: true }
  }))
  const { stdout } = await cli(['library', 'unfollow', '12D3Ada/tools'], { home })
  expect(stdout).toBe('12D3Ada/tools is followed no more; its copy was let go of\n')
})

it('deletes a library only when that is said twice', async () => {
  daemon.routes.set('GET /v1/libraries/team', () => ({ json: TEAM }))
  const deleted = { name: 'team', address: TEAM.address, releases: 2 }
  daemon.routes.set('DELETE /v1/libraries/team', () => ({ json: deleted }))
  const { stderr, status } = await cli(['library', 'delete', 'team'], { home })
  expect(stderr).toContain('12D3Own/team with 2 releases would be gone; give --yes to delete it')
  expect([status, daemon.seen.map(({ method }) => method)]).toEqual([2, ['GET']])
  const { stdout } = await cli(['library', 'delete', 'team', '--yes'], { home })
  expect(stdout).toBe('12D3Own/team with 2 releases is deleted\n')
})
