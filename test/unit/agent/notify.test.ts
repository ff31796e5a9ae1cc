import { describe, expect, it, vi } from 'vitest';
import { Notifier, watchdogMsOf } from '../../../src/agent/notify.ts';
import { Logger } from '../../../src/base/log.ts';

function listener(): { readonly messages: string[]; readonly lines: string[]; readonly log: Logger } {
  const lines: string[] = [];
  return { messages: [], lines, log: new Logger({ level: 'debug', write: (line) => lines.push(line) }) };
}

describe('the notifier', () => {
  it('tells what happens in the words of sd_notify', () => {
    const { messages, log } = listener();
    const notifier = new Notifier((message) => messages.push(message), undefined, log);
    notifier.status('starting');
    notifier.status('starting');
    notifier.extendStart(30_000);
    notifier.ready('in sync');
    notifier.status('in sync');
    notifier.reloading();
    notifier.ready('in sync');
    notifier.stopping('bye');
    expect(messages.map((message) => message.replace(/USEC=\d+$/, 'USEC=n'))).toEqual([
      'STATUS=starting',
      'EXTEND_TIMEOUT_USEC=n',
      'READY=1\nSTATUS=in sync',
      'RELOADING=1\nMONOTONIC_USEC=n',
      'READY=1\nSTATUS=in sync',
      'STOPPING=1\nSTATUS=bye',
    ]);
  });

  it('pings for as long as the event loop turns', async () => {
    const { messages, log } = listener();
    const notifier = new Notifier((message) => messages.push(message), 20, log);
    notifier.startWatchdog();
    await vi.waitFor(() => expect(messages.length).toBeGreaterThan(3));
    notifier.close();
    expect(new Set(messages)).toEqual(new Set(['WATCHDOG=1']));
  });

  it('goes on without a service manager, and says once that it does not hear', () => {
    const { lines, log } = listener();
    const notifier = new Notifier(
      () => {
        throw new Error('gone');
      },
      undefined,
      log,
    );
    notifier.status('a');
    notifier.status('b');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('gone');
  });

  it('is silent where nobody asked', () => {
    const { lines, log } = listener();
    const notifier = Notifier.fromEnvironment({ WATCHDOG_USEC: '1000000' }, log);
    notifier.startWatchdog();
    notifier.ready('in sync');
    notifier.close();
    expect(lines).toEqual([]);
  });

  it.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '60000000' }, 60_000],
    [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '7' }, 60_000],
    [{ WATCHDOG_USEC: '60000000', WATCHDOG_PID: '8' }, undefined],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'soon' }, undefined],
  ])('reads the watchdog of %j as %s ms', (environment, expected) => {
    expect(watchdogMsOf(environment, 7)).toBe(expected);
  });
});
