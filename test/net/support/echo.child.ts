/**
 * `server ADDRESS`: sends every datagram back. `client ADDRESS COUNT`: sends numbered datagrams, one each millisecond, and says
 * which numbers came back in which order after how long, once nothing has come for a second.
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'

const PORT = 4000
const QUIET_MS = 1000
const EVERY_MS = 1

const [role, address, count] = process.argv.slice(2)
const socket = createSocket('udp4')

if (role === 'server') {
  socket.on('message', (bytes, { port, address: from }) => socket.send(bytes, port, from))
  socket.bind(PORT, address)
  await once(socket, 'listening')
  console.log('ready')
} else {
  const sentAtMs: number[] = []
  const order: number[] = []
  const roundTripsMs: number[] = []
  const end = (): void => {
    console.log(JSON.stringify({ order, roundTripsMs }))
    process.exit()
  }
  let quiet = setTimeout(end, QUIET_MS)
  socket.on('message', bytes => {
    const number = bytes.readUInt32LE()
    order.push(number)
    roundTripsMs.push(performance.now() - sentAtMs[number]!)
    quiet.refresh()
  })
  const sending = setInterval(() => {
    const bytes = Buffer.alloc(100)
    bytes.writeUInt32LE(sentAtMs.length)
    sentAtMs.push(performance.now())
    socket.send(bytes, PORT, address)
    quiet = quiet.refresh()
    if (sentAtMs.length >= Number(count)) clearInterval(sending)
  }, EVERY_MS)
}
