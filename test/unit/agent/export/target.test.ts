import { describe, expect, it } from 'vitest';
import { parseTargets } from '../../../../src/agent/export/target.ts';
import { DataplaneError } from '../../../../src/base/errors.ts';

function refusal(written: string): DataplaneError {
  try {
    parseTargets(written);
  } catch (error) {
    if (error instanceof DataplaneError) return error;
    throw error;
  }
  throw new Error(`was taken: ${written}`);
}

describe('parseTargets', () => {
  it.each([
    ['file:///var/log/tortie/flows.jsonl', { kind: 'file', transport: 'file', path: '/var/log/tortie/flows.jsonl' }],
    ['syslog+udp://192.0.2.1', { kind: 'syslog', transport: 'udp', host: '192.0.2.1', port: 514 }],
    ['syslog+tcp://log.example:1514', { transport: 'tcp', host: 'log.example', port: 1514 }],
    ['syslog+tls://[2001:db8::1]', { transport: 'tls', host: '2001:db8::1', port: 6514 }],
    ['syslog+unix:///dev/log', { transport: 'unix', path: '/dev/log' }],
    ['ipfix+udp://[::1]:9995#domain=7', { kind: 'ipfix', host: '::1', port: 9995, domain: 7 }],
    ['otlp+http://otel:4318/base?a=b', { kind: 'otlp', transport: 'http', path: '/base?a=b' }],
    ['webhook+https://x.example/hook?q=1', { kind: 'webhook', port: 443, path: '/hook?q=1' }],
    ['webhook+http://127.0.0.1:80/', { transport: 'http' }],
    ['journald:', { kind: 'journald', path: '/run/systemd/journal/socket' }],
  ])('reads %s', (written, expected) => {
    expect(parseTargets(written)).toMatchObject([expected]);
  });

  it('reads options behind #', () => {
    const [target] = parseTargets(
      'file:///a/b#name=mine&size=1Mi&age=2h&keep=3&actions=deny&flush=250ms&aggregate=15s',
    );
    expect(target).toMatchObject({
      name: 'mine',
      fileBytes: 1024 * 1024,
      fileAgeMs: 7_200_000,
      keptFiles: 3,
      actions: 'deny',
      flushMs: 250,
      aggregateMs: 15_000,
    });
  });

  it('tells IPFIX once of what both ends report, and all else of both, unless it is said', () => {
    const written = ['ipfix+udp://a', 'ipfix+udp://a#reporter=all', 'file:///a', 'file:///a#reporter=once'];
    expect(written.map((one) => parseTargets(one)[0]?.reporter)).toEqual(['once', 'all', 'all', 'once']);
  });

  it('reads several, and none', () => {
    expect(parseTargets(' file:///a \n syslog+udp://b ').map(({ name }) => name)).toEqual(['file', 'syslog']);
    expect(parseTargets('')).toEqual([]);
  });

  it.each([
    ['http://a', 'no known scheme'],
    ['constructor://a', 'no known scheme'],
    ['file:/a', 'no //'],
    ['file://a/b', 'does not name a file'],
    ['file:///a/../b', 'does not name a file'],
    ['file:///a/', 'does not name a file'],
    ['syslog+udp://', 'names no host'],
    ['syslog+udp://a_b-.c', 'names no host'],
    ['syslog+udp://300.1.1.1', 'names no host'],
    ['syslog+udp://[10.0.0.1]', 'names no host'],
    ['syslog+udp://a;reboot', 'names no host'],
    ['syslog+udp://a:0', 'no such port'],
    ['syslog+udp://a:65536', 'no such port'],
    ['syslog+udp://a/path', 'has a path'],
    ['otlp+http://user:secret@a', 'has a user or password'],
    ['otlp+http://a/\u00e4', 'not encoded'],
    ['webhook+http://a.example/', 'for all to read'],
    ['webhook+http://128.0.0.1/', 'for all to read'],
    ['otlp+http://otel.example#headers=/etc/tortie/headers', '#headers would be sent over the network for all to read'],
    ['file:///a#nonsense=1', '#nonsense is invalid'],
    ['file:///a#domain=1', '#domain is invalid'],
    ['file:///a#size=1Ki', '#size is invalid'],
    ['file:///a#size=1toString', '#size is invalid'],
    ['file:///a#keep=1&keep=2', '#keep is invalid'],
    ['file:///a#name=A', '#name is invalid'],
    ['ipfix+udp://a#reporter=dst', '#reporter is invalid'],
    ['file:///a#name=../x', '#name is invalid'],
    ['syslog+udp://a#ca=/x', '#ca is invalid'],
    ['webhook+https://a#secret=relative', '#secret is invalid'],
    ['ipfix+udp://a ipfix+udp://b', 'has the name of another one'],
    [Array.from({ length: 17 }, (_, n) => `file:///a#name=a${n}`).join(' '), 'are too many'],
  ])('refuses %s', (written, why) => {
    const error = refusal(written);
    expect(error.code).toBe('INVALID_FIELD');
    expect(error.message).toContain(why);
    expect(error.expected).toBeTruthy();
  });

  it('refuses kinds that are not asked for', () => {
    expect(() => parseTargets('ipfix+udp://a', ['file'])).toThrow(/of another kind/);
  });
});
