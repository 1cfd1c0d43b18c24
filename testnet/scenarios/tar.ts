import { pack } from 'tar-stream'

/** Files as the tar stream that an ingest takes: entries in the order of a manifest. */
export async function tarOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<Buffer> {
  const packer = pack()
  const bytes = collect(packer)
  const paths = Object.keys(files).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  for (const path of paths) packer.entry({ name: path, mode: 0o644 }, Buffer.from(files[path]!))
  packer.finalize()
  return await bytes
}

async function collect(stream: AsyncIterable<unknown>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk as Uint8Array)
  return Buffer.concat(chunks)
}
