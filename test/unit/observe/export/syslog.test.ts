import { describe, expect, it } from 'vitest';
import {
  flowToSyslog,
  formatLocalSyslog,
  formatSyslog,
  MAX_MESSAGE_BYTES,
} from '../../../../src/observe/export/syslog.ts';
import { FLOW_LOG } from '../../../support/export/flow-logs.ts';

const place = { facility: 'local0', host: 'node-1', process: 42 } as const;
const RFC5424 = /^<(\d{1,3})>1 (\S+) (\S{1,255}) (\S{1,48}) (\S{1,128}) (\S{1,32}) - (.*)$/;

describe('syslog', () => {
  it('has the header of RFC 5424 and the flow log as JSON', () => {
    const [, priority, time, host, application, process, id, text] = RFC5424.exec(flowToSyslog(FLOW_LOG, place)) ?? [];
    expect([priority, time, host, application, process, id]).toEqual([
      String(16 * 8 + 6),
      '2026-01-02T03:04:20.000Z',
      'node-1',
      'tortie',
      '42',
      'flow',
    ]);
    expect(JSON.parse(text ?? '')).toEqual(FLOW_LOG);
  });

  it('warns of denied flows', () => {
    expect(flowToSyslog({ ...FLOW_LOG, action: 'deny' }, place)).toMatch(/^<132>1 /);
  });

  it('is ASCII on one line whatever labels say, and says the same', () => {
    const labels = { app: 'käse\n<13>1 forged\u001b[2J\u2028🐈' };
    const log = { ...FLOW_LOG, source: { ...FLOW_LOG.source, labels } };
    const message = flowToSyslog(log, place);
    expect(message).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(RFC5424.exec(message)?.[7] ?? '')).toEqual(log);
  });

  it('leaves labels out of what would be too long, and cuts what still is', () => {
    const labels = Object.fromEntries(Array.from({ length: 500 }, (_, n) => [`label-${n}`, 'x'.repeat(60)]));
    const message = flowToSyslog({ ...FLOW_LOG, source: { ...FLOW_LOG.source, labels } }, place);
    expect(JSON.parse(RFC5424.exec(message)?.[7] ?? '')).toMatchObject({ source: { labels: {}, name: 'web-1' } });
    const enforced = Array.from({ length: 500 }, (_, n) => `${n}|default|np:shop/web|pass|2`);
    expect(flowToSyslog({ ...FLOW_LOG, enforced }, place)).toHaveLength(MAX_MESSAGE_BYTES);
  });

  it('keeps names of hosts out of other fields', () => {
    const message = { ...place, severity: 'notice', time: 0, id: '', text: 'x' } as const;
    expect(formatSyslog({ ...message, host: 'a b\n' })).toMatch(
      /^<133>1 1970-01-01T00:00:00.000Z a_b_ tortie 42 - - x$/,
    );
    expect(formatSyslog({ ...message, host: '' })).toContain('Z - tortie');
  });

  it('says the older format to the syslog of the same machine', () => {
    const time = new Date(2026, 0, 2, 3, 4, 5).getTime();
    const message = formatLocalSyslog({ ...place, severity: 'notice', time, id: 'packet', text: 'a\nb' });
    expect(message).toBe('<133>Jan  2 03:04:05 tortie-packet[42]: a\\u000ab');
  });
});
