/**
 * The sketch of a set: a sequence of cells from which two nodes read how their sets differ. It is a rateless invertible Bloom lookup
 * table (Yang, Gilad, Alizadeh: "Practical Rateless Set Reconciliation", SIGCOMM 2024). Each record is added to about 2 ln(m) of
 * m cells. The cells of one set less those of the other hold the difference only, whatever the sets have in common, and
 * any prefix of about 1.4 cells per difference is enough to read it: the sender need not know how large it is, and a few hundred bytes
 * of counts tell. Cells of a set change with it, a few for each record, and are nobody's in particular: one sketch serves all peers.
 *
 * In: trieKeys and recHashes of the records that come and go, and the cells of a peer. Out: cells, an estimate, and
 * the items of the difference. It knows no tree and no session, and it is a hint only: whether sets are equal, roots say.
 */
export { buildSketch, KEPT_FROM_RECORDS, type SketchedRecord } from './build.ts'
export { decodeDifference, type SketchDifference } from './decode.ts'
export { estimateDifference } from './estimate.ts'
export { itemOf, keyBytesOf, type SketchItem } from './item.ts'
export { Sketch } from './sketch.ts'
export {
  cellsIn,
  decodeCounts,
  decodeSketch,
  encodeCells,
  encodeCounts,
  MAX_SKETCH_CELLS,
  type SketchColumns
} from './wire.ts'
