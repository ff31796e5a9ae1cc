// The other thread of change-floor.ts: reads each file that is put into the directory, and counts.
import { readFileSync, watch } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const { directory, reads } = workerData as { readonly directory: string; readonly reads: Int32Array };

watch(directory, (_event, name) => {
  if (name !== 'policy.yaml') return;
  readFileSync(join(directory, name));
  Atomics.add(reads, 0, 1);
});
parentPort?.postMessage('watching');
