// The command with a tap: each flow log that its agent hands out is also a line of the file that TORTIE_FLOW_TAP names.
import { appendFileSync } from 'node:fs';

const { FlowHub } = await import('../../../dist/observe/flows/flow-hub.js');
const { publish } = FlowHub.prototype;

FlowHub.prototype.publish = function tapped(logs) {
  appendFileSync(process.env.TORTIE_FLOW_TAP, logs.map((log) => `${JSON.stringify(log)}\n`).join(''));
  return publish.call(this, logs);
};

await import('../../../dist/cli/main.js');
