import { expect, it } from 'vitest'
import { CatalogError } from '../../../base/index.ts'
import { withError } from '../../../library/worker/client.ts'

it('an error in a log line of the worker is an error again, with its code and its stack', () => {
  const sent = {
    ...new CatalogError('DISK_FULL', 'no space').toJSON(),
    stack: 'Error: no space\n    at stage'
  }
  const { err, part } = withError({ err: sent, part: 'content' }) as { err: CatalogError; part: string }
  expect(err).toBeInstanceOf(CatalogError)
  expect([err.code, err.message, err.stack, part]).toEqual(['DISK_FULL', 'no space', sent.stack, 'content'])
})
