// The sections of `npm run bench`, in the order they run in: one line each.
import { benchChange } from './change.ts';
import { benchCompile } from './compile.ts';
import { benchDiff } from './diff.ts';
import { benchEvents } from './events.ts';
import { benchFlowFlood } from './flow-flood.ts';
import { benchFlowForward } from './flow-forward.ts';
import { benchFlowLogs } from './flow-logs.ts';
import { benchFlowStore } from './flow-store.ts';
import { benchFlows } from './flows.ts';
import { benchForward } from './forward.ts';
import { benchHost } from './host.ts';
import { benchIdle } from './idle.ts';
import { benchInstructions } from './instructions.ts';
import type { BenchSection } from './run.ts';
import { benchScale } from './scale.ts';
import { benchTcp } from './tcp.ts';
import { benchVerdict } from './verdict.ts';
import { benchXdp } from './xdp.ts';
import { benchXdpPath } from './xdp-path.ts';

export const SECTIONS: Readonly<Record<string, BenchSection>> = {
  verdict: benchVerdict,
  forward: benchForward,
  tcp: benchTcp,
  host: benchHost,
  xdp: benchXdp,
  'xdp-path': benchXdpPath,
  events: benchEvents,
  flows: benchFlows,
  'flow-logs': benchFlowLogs,
  'flow-flood': benchFlowFlood,
  'flow-forward': benchFlowForward,
  'flow-store': benchFlowStore,
  instructions: benchInstructions,
  change: benchChange,
  scale: benchScale,
  idle: benchIdle,
  compile: benchCompile,
  diff: benchDiff,
};
