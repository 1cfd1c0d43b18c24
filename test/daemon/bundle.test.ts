/** Releases carried from node to node in a file: real daemons that never meet, by their command line. */
import { once } from 'node:events'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import http from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../base/index.ts'
import { pseudoRandom } from '../unit/content/fakes.ts'
import { at, cliOk, expectRefusal, runCli, startCli } from './support/cli.ts'
import { eventually, type TestDaemon, TestNet } from './support.ts'

let net: TestNet
let publisher: TestDaemon

const file = (name: string): string => join(net.folder, name)
const filesOf = (text: string) => ({ 'big.bin': pseudoRandom(text, 300_000), 'same.txt': 'in all of them' })

beforeAll(async () => {
  net = await TestNet.create()
  publisher = await net.start('publisher')
  for (const version of ['1.0.0', '1.1.0', '2.0.0'])
    await publisher.publish({ name: 'demo', version, files: filesOf(version) })
  await publisher.publish({ name: 'other', version: '1.0.0', files: filesOf('other') })
  await at(publisher, 'yank', 'demo@1.1.0', '--reason', 'leaks the key')
})
afterAll(() => net.destroy())

describe('a bundle', () => {
  it('brings a whole library, with what is said of it, to a node that meets nobody', async () => {
    const made = (await at(publisher, 'bundle', 'create', file('all'))) as Record<string, unknown>
    expect(made).toMatchObject({ file: file('all'), records: 5, contents: 4 })
    expect(made.bytes).toBe((await readFile(file('all'))).byteLength)
    const reader = await net.start('reader')
    await at(reader, 'library', 'follow', publisher.peerId, '--mode', 'union')
    expect(await at(reader, 'bundle', 'import', file('all'))).toMatchObject({
      library: made.library,
      head: made.head,
      writer: publisher.peerId,
      address: publisher.peerId,
      isExpired: false,
      isOlder: false,
      copy: 'made',
      records: 5,
      newRecords: 5,
      contents: 4,
      newContents: 4
    })
    // The union joins home with what came, though nobody can be asked.
    let tries = 0
    await eventually(async () => {
      const home = at(reader, 'bundle', 'create', file(`home-${tries++}`))
      const mine = (await home.catch(() => ({ records: 0 }))) as { records: number }
      return mine.records === 5
    })
    expect(await at(reader, 'info', 'demo@1.1.0', '--local')).toMatchObject({
      status: 'yanked',
      reason: 'leaks the key',
      local: 'complete'
    })
    const target = file('target')
    expect(await at(reader, 'install', 'demo', '--to', target)).toMatchObject({
      installed: [{ name: 'demo', version: '2.0.0' }],
      bytesFetched: 0
    })
    expect(await readFile(join(target, 'demo', 'big.bin'))).toEqual(
      Buffer.from(pseudoRandom('2.0.0', 300_000))
    )
    expect(await at(reader, 'bundle', 'import', file('all'))).toMatchObject({ newRecords: 0, newContents: 0 })
    expect(await at(reader, 'verify', '--all')).toMatchObject({ ok: true })
  })

  it('of a whole library becomes a copy of it, with which sync goes on', async () => {
    await at(publisher, 'library', 'create', 'tools', '--access', 'public')
    for (let i = 0; i < 12; i++)
      await publisher.publish({ name: `tool-${i}`, version: '1.0.0', files: {}, library: 'tools' })
    const address = `${publisher.peerId}/tools`
    await at(publisher, 'bundle', 'create', file('tools'), '--library', 'tools')
    await at(publisher, 'bundle', 'create', file('tool'), '--library', 'tools', 'tool-7')
    const reader = await net.start('copier')
    expect(await at(reader, 'bundle', 'import', file('tool'))).toMatchObject({
      address,
      copy: 'part',
      records: 1
    })
    expect(await at(reader, 'sync', '--status')).toMatchObject({ libraries: [] })
    const { head } = (await at(reader, 'bundle', 'import', file('tools'))) as { head: { revision: number } }
    const { revision } = head
    const copy = { address, records: 12, head: { revision } }
    expect(await at(reader, 'sync', '--status')).toMatchObject({ libraries: [copy] })
    expect(await at(reader, 'library', 'list')).toMatchObject({ followed: [copy] })
    // What it has can be carried on from there.
    expect(await at(reader, 'bundle', 'create', file('on'), '--library', address)).toMatchObject({
      records: 12
    })
    await publisher.publish({ name: 'tool-new', version: '1.0.0', files: {}, library: 'tools' })
    const { stdout } = await runCli(['bundle', 'import', file('on'), '--home', reader.home.root])
    expect(stdout).toContain(`the library is here as a copy now, revision ${revision}`)
    const synced = (await at(reader, 'sync', publisher.address, '--library', 'tools')) as { bytesIn: number }
    expect(synced).toMatchObject({ state: 'updated', way: 'log', received: 1, removed: 0, records: 13 })
    expect(synced.bytesIn).toBeLessThan(2000)
    // The older state never takes its place.
    expect(await at(reader, 'bundle', 'import', file('tools'))).toMatchObject({
      copy: 'older',
      isOlder: true
    })
    expect(await at(reader, 'sync', '--status')).toMatchObject({ libraries: [{ records: 13 }] })
    await at(reader, 'sync', address, '--forget')
    expect(await at(reader, 'sync', '--status')).toMatchObject({ libraries: [] })
    expect(await at(publisher, 'bundle', 'import', file('on'))).toMatchObject({ copy: 'own' })
  })

  it('is verified without a daemon and without a home', async () => {
    await at(publisher, 'bundle', 'create', file('sealed'))
    const right = await readFile(file('sealed'))
    const temporary = file('temporary')
    await mkdir(temporary)
    const options = { home: file('nowhere'), env: { TMPDIR: temporary } }
    expect(await cliOk(['bundle', 'verify', file('sealed')], options)).toMatchObject({
      file: file('sealed'),
      bytes: right.byteLength,
      writer: publisher.peerId,
      isWhole: true,
      records: 5,
      contents: 4
    })
    const changed = Buffer.from(right)
    changed[right.byteLength - 100_000]! ^= 1
    await writeFile(file('broken'), changed)
    await expectRefusal(
      ['bundle', 'verify', file('broken')],
      { code: 'BUNDLE_INVALID', names: ['a wrong block'] },
      options
    )
    await expectRefusal(
      ['bundle', 'verify', net.folder],
      { code: 'INVALID_ARGUMENT', names: ['not a file'] },
      options
    )
    // Wherever it is by then.
    const stopped = startCli(['bundle', 'verify', file('sealed')], options)
    await eventually(async () => (await readdir(temporary)).length > 0)
    stopped.process.kill('SIGINT')
    await stopped.ended
    expect(await readdir(temporary)).toEqual([])
    await expect(readdir(file('nowhere'))).rejects.toThrow('ENOENT')
  })

  it('holds the versions that are named, and carries what they share once', async () => {
    const one = (await at(publisher, 'bundle', 'create', file('one'), 'demo@1.0.0')) as { bytes: number }
    const range = (await at(publisher, 'bundle', 'create', file('range'), 'demo@^1.0')) as { bytes: number }
    // The status of 1.1.0 goes with it.
    expect(one).toMatchObject({ records: 1, contents: 1 })
    expect(range).toMatchObject({ records: 3, contents: 2 })
    expect(range.bytes).toBeLessThan(2.1 * one.bytes)
    const names = await at(publisher, 'bundle', 'create', file('names'), 'demo', 'other', 'demo@1.0.0')
    expect(names).toMatchObject({ records: 5, contents: 4 })
  })

  it('of a library that is followed is proven by the head of its writer', async () => {
    const follower = await net.start('follower', { join: publisher })
    await at(follower, 'sync', publisher.address)
    await at(follower, 'fetch', 'other')
    const library = ['--library', publisher.peerId]
    expect(await at(follower, 'bundle', 'create', file('theirs'), ...library)).toMatchObject({
      records: 5,
      contents: 1
    })
    const third = await net.start('third')
    expect(await at(third, 'bundle', 'import', file('theirs'))).toMatchObject({
      writer: publisher.peerId,
      newRecords: 5,
      newContents: 1
    })
    expect(await at(third, 'info', 'other', '--local')).toMatchObject({ local: 'complete' })
  })
})

describe('what goes wrong', () => {
  const refusal = (
    daemon: TestDaemon,
    args: string[],
    code: ErrorCode,
    ...names: string[]
  ): Promise<unknown> => expectRefusal(['bundle', ...args], { code, names }, { home: daemon.home.root })

  it('is told when a bundle is made, and leaves no file', async () => {
    await writeFile(file('mine'), 'mine')
    await refusal(publisher, ['create', file('mine')], 'INVALID_ARGUMENT', 'exists already')
    expect(await readFile(file('mine'), 'utf8')).toBe('mine')
    await writeFile(file('other.part'), 'mine')
    await refusal(publisher, ['create', file('other')], 'INVALID_ARGUMENT', 'other.part exists already')
    expect(await readFile(file('other.part'), 'utf8')).toBe('mine')
    await refusal(publisher, ['create', file('none'), 'demo', 'nosuch@^3'], 'RELEASE_NOT_FOUND', 'nosuch@^3')
    await refusal(publisher, ['create', file('none'), '--library', 'me'], 'NOT_FOUND', 'not here')
    const empty = await net.start('empty')
    await refusal(publisher, ['create', file('none'), '--library', empty.peerId], 'NOT_FOUND', 'not here')
    await refusal(empty, ['create', file('none')], 'NOT_FOUND', 'no records')
    await expect(readFile(file('none'))).rejects.toThrow('ENOENT')
    await expect(readFile(file('none.part'))).rejects.toThrow('ENOENT')
  })

  it('with a client that goes away in the middle takes no place from the next', async () => {
    const busy = await net.start('busy')
    await busy.publish({
      name: 'large',
      version: '1.0.0',
      files: { 'a.bin': pseudoRandom('large', 12_000_000) }
    })
    const { socket: socketPath } = busy.home
    // More than there are places.
    for (let i = 0; i < 6; i++) {
      const request = http.get({ socketPath, path: '/v1/bundle?specs=large', agent: false })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      await once(response, 'readable')
      response.destroy()
      const upload = http.request({
        socketPath,
        method: 'POST',
        path: '/v1/bundles',
        headers: { 'content-type': 'application/x-catalog-bundle' },
        agent: false
      })
      upload.on('error', () => undefined)
      upload.write('catalog-bundle/1\n')
      upload.destroy()
    }
    const made = await eventually(async () => {
      const { status, bytes } = await busy.api('GET', '/v1/bundle?specs=large')
      return status === 200 && bytes
    })
    expect(made.byteLength).toBeGreaterThan(12_000_000)
  })

  it('in a file is told, and the right one goes on with what had come', async () => {
    await at(publisher, 'bundle', 'create', file('right'))
    const right = await readFile(file('right'))
    const reader = await net.start('careful')
    const refused = async (bytes: Uint8Array, code: ErrorCode): Promise<void> => {
      await writeFile(file('wrong'), bytes)
      await refusal(reader, ['import', file('wrong')], code)
    }
    await refused(Buffer.from('a text'), 'BUNDLE_INVALID')
    await refused(right.subarray(0, right.byteLength - 400_000), 'BUNDLE_INVALID')
    const changed = Buffer.from(right)
    changed[right.byteLength - 100_000]! ^= 1
    await refused(changed, 'BUNDLE_INVALID')
    await refusal(reader, ['import', file('nowhere')], 'NOT_FOUND', 'ENOENT')
    await refusal(reader, ['import', net.folder], 'INVALID_ARGUMENT', 'not a file')
    const came = (await at(reader, 'bundle', 'import', file('right'))) as { newContents: number }
    expect(came).toMatchObject({ records: 5, newRecords: 0, contents: 4 })
    expect(came.newContents).toBeLessThan(4)
    expect(await at(reader, 'verify', '--all')).toMatchObject({ ok: true })
  })
})
