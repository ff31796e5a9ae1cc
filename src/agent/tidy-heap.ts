// What a start leaves behind in the heap, given back once: V8 collects when much is allocated, and an agent that rests
// allocates next to nothing.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A bigger heap takes longer to go through than a change may have to wait. */
const MAX_HEAP_BYTES = 96 * 2 ** 20;

/** One full collection, of some 50 ms. Does nothing to big heaps. */
export function tidyHeap(): void {
  if (process.memoryUsage().heapUsed > MAX_HEAP_BYTES) return;
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  collect();
}
