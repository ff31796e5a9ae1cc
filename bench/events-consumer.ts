// The reading side of the event benchmark, in a process of its own so that its CPU time is its own: ring buffer, decoding,
// names, one listener, as in the agent. Started by events.ts with the path of the pinned ring.
import { EventHub } from '../src/agent/event-hub.ts';
import { AgentNames } from '../src/agent/names.ts';
import { Logger } from '../src/base/log.ts';
import { loadNative } from '../src/kernel/native.ts';
import type { FlowRecord } from '../src/observe/flow-record.ts';
import { DEFAULT_TABLE_SIZES, TableCompiler } from '../src/tables/compiler.ts';
import { eventsWorld } from './events-world.ts';

/** What it answers whenever it is asked. */
export interface ConsumerCount {
  /** New flows told to the listener since the start. */
  readonly records: number;
  readonly cpuSeconds: number;
  readonly last: FlowRecord | undefined;
}

const [, , path = ''] = process.argv;
const world = eventsWorld();
const compiler = new TableCompiler(DEFAULT_TABLE_SIZES);
compiler.compile(world);
const names = new AgentNames(
  () => world,
  compiler,
  (ifindex) => `eth${ifindex}`,
);
const hub = new EventHub(names, new Logger({ level: 'error', write: (line) => console.error(line) }));
let records = 0;
let last: FlowRecord | undefined;
hub.listen((record) => {
  if (record.kind !== 'new-flow') return;
  records += 1;
  last = record;
});
const map = loadNative().BpfMap.openPinned(path);
const ring = loadNative().RingBuffer.open(map, (chunk) => hub.publish(chunk));
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  const count: ConsumerCount = { records, cpuSeconds: (user + system) / 1e6, last };
  process.send?.(count);
});
process.on('disconnect', () => {
  ring.close();
  map.close();
  process.exit(0);
});
process.send?.('ready');
