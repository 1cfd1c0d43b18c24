/** An S3 server as a process of its own: s3rver on a folder, with one bucket. Says its port on a line. */
import S3rver from '@20minutes/s3rver'

const [directory = '', port = '0'] = process.argv.slice(2)
const server = new S3rver({
  address: '127.0.0.1',
  port: Number(port),
  silent: true,
  vhostBuckets: false,
  directory,
  configureBuckets: [{ name: 'catalog', configs: [] }]
})
// It leaves out the slash behind a bucket's name, which the client signs: only there a wrong signature is let pass.
server.middleware.unshift(async (context, next) => {
  const isList = context.path === '/catalog/'
  if (isList) context.app = Object.create(context.app, { allowMismatchedSignatures: { value: true } })
  await next()
})
const address = await server.run()
process.stdout.write(`${address.port}\n`)
