// What `tortie syn status` prints, against an agent without a kernel, and of what an agent may say.
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { describeSyn } from '../../../../src/cli/commands/syn.ts';
import { KernelLessAgent } from '../../../support/agent/kernel-less-agent.ts';
import { NO_SYNS } from '../../../support/block/table-enforcement.ts';
import { runCommand } from '../../../support/run-command.ts';

describe('tortie syn status', () => {
  let agent: KernelLessAgent;
  beforeEach(async () => {
    agent = await KernelLessAgent.start({});
  });
  afterEach(() => agent.end());

  it('asks the agent', async () => {
    const { code, answer } = await runCommand(['syn', 'status', '--socket', agent.options.socket]);
    expect([code, answer]).toEqual([
      0,
      'protection  off\nper source  500 SYNs a second: 0 dropped\nper socket  1000 SYNs a second: 0 answered with cookies\n',
    ]);
    const asJson = await runCommand(['syn', 'status', '--socket', agent.options.socket, '-o', 'json']);
    expect(JSON.parse(asJson.answer)).toEqual(NO_SYNS);
  });

  it('says where, how many, and what is missing', () => {
    const status = { ...NO_SYNS, protection: '22,443', sourceRate: 0, interfaces: ['eth0', 'eth1'] };
    const counts = { limited: { packets: 7, bytes: 420 }, answered: { packets: 9, bytes: 540 } };
    expect(describeSyn({ ...status, ...counts, lack: 'net.ipv4.tcp_syncookies is 0' })).toBe(
      [
        'protection  ports 22,443, on eth0, eth1',
        'per source  any number: 7 dropped',
        'per socket  1000 SYNs a second: 9 answered with cookies',
        'no cookies  net.ipv4.tcp_syncookies is 0',
      ].join('\n'),
    );
    expect(describeSyn({ ...status, interfaces: [] })).toContain('on no interface');
  });
});
