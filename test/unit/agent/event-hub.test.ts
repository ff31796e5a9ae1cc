import { beforeEach, describe, expect, it } from 'vitest';
import { EventHub } from '../../../src/agent/event-hub.ts';
import { Logger } from '../../../src/base/log.ts';

let lines: string[];
let hub: EventHub;

beforeEach(() => {
  lines = [];
  const log = new Logger({ level: 'info', write: (line) => lines.push(line) });
  const names = {
    endpointAt: () => undefined,
    verdict: () => ({ verdict: 'allow' as const, trace: [] }),
    interfaceName: () => undefined,
  };
  hub = new EventHub(names, log);
});

describe('events that a listener cannot take', () => {
  it('end neither the agent nor the way to other listeners', () => {
    const taken: Uint8Array[] = [];
    hub.listenToChunks(() => {
      throw new Error('EMFILE: Too many open files');
    });
    hub.listenToChunks((chunk) => taken.push(chunk));
    const chunk = new Uint8Array();
    hub.publish(chunk);
    expect(taken).toEqual([chunk]);
    expect(lines.join('')).toContain('EMFILE');
  });
});
