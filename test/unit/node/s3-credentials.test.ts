import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { s3Credentials } from '../../../node/s3-credentials.ts'

const SECRET = 'wJalrXUtnFEMI'
let folder: string
let path: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'catalog-credentials-'))
  path = join(folder, 's3.toml')
})
afterEach(() => rm(folder, { recursive: true }))

const write = (text: string, mode = 0o600) => writeFile(path, text, { mode })

test('the environment is used when no file is named', async () => {
  const env = { AWS_ACCESS_KEY_ID: 'key', AWS_SECRET_ACCESS_KEY: SECRET, AWS_SESSION_TOKEN: '' }
  expect(await s3Credentials('', env)).toEqual({ accessKeyId: 'key', secretAccessKey: SECRET })
  await expect(s3Credentials('', { AWS_ACCESS_KEY_ID: 'key' })).rejects.toMatchObject({
    code: 'CONFIG_BAD_VALUE',
    message: expect.stringContaining('AWS_SECRET_ACCESS_KEY')
  })
})

test('a file of mode 0600 is read', async () => {
  await write(`accessKeyId = "key"\nsecretAccessKey = "${SECRET}"\nsessionToken = "token"\n`)
  expect(await s3Credentials(path, {})).toEqual({
    accessKeyId: 'key',
    secretAccessKey: SECRET,
    sessionToken: 'token'
  })
})

test('a file that others can read is refused', async () => {
  await write(`accessKeyId = "key"\nsecretAccessKey = "${SECRET}"\n`)
  await chmod(path, 0o640)
  await expect(s3Credentials(path, {})).rejects.toMatchObject({
    code: 'HOME_PERMISSIONS',
    details: { mode: '640' }
  })
})

test.each([
  ['is not there', undefined],
  ['is no TOML', `secretAccessKey = ${SECRET}`],
  ['lacks a key', `secretAccessKey = "${SECRET}"`],
  ['has a number for one', `accessKeyId = 1\nsecretAccessKey = "${SECRET}"`]
])('a file that %s is an error that does not repeat what is secret', async (_, text) => {
  if (text !== undefined) await write(text)
  const error = await s3Credentials(path, {}).catch((thrown: Error & { code: string }) => thrown)
  expect(error).toMatchObject({ code: 'CONFIG_BAD_VALUE' })
  const { message, hint, stack, cause } = error as Error & { hint?: string }
  expect([message, hint, stack, String(cause)].join()).not.toContain(SECRET)
})
