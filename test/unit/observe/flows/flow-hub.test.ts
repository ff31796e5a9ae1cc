import { expect, it } from 'vitest';
import { Logger } from '../../../../src/base/log.ts';
import { FlowHub } from '../../../../src/observe/flows/flow-hub.ts';
import type { FlowLog } from '../../../../src/observe/flows/flow-log.ts';

it('counts what it hands out once, whoever listens', () => {
  const hub = new FlowHub(new Logger({ level: 'error', write: () => undefined }));
  const logs = [{}, {}, {}] as FlowLog[];
  hub.listen(() => undefined);
  hub.listen(() => undefined);
  hub.publish(logs);
  hub.publish([]);
  hub.publish(logs.slice(1));
  expect(hub.published).toBe(5);
});
