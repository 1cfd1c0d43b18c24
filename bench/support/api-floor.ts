/** The floor of the benchmark of the admin API: an HTTP server of Node that does nothing but answer, with as many bytes as one release has. */
import { createServer } from 'node:http'

const ANSWER = JSON.stringify({ versions: [{ name: 'package', text: 'x'.repeat(600) }] })

const server = createServer((_request, response) => {
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(ANSWER)
  })
  response.end(ANSWER)
})
server.listen({ path: process.argv[2] }, () => process.send!('listening'))
