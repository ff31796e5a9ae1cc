// tortie syn: what becomes of new TCP connections before the stack sees them.
import type { Command } from 'commander';
import type { BlockReport } from '../../agent/block/block-service.ts';
import type { SynStatus } from '../../agent/block/syn-status.ts';
import { askAgent } from '../agent-client.ts';
import { outputOption, socketOption } from '../options.ts';
import { type OutputFormat, paint, printData } from '../output.ts';

export function fillSynCommand(command: Command): void {
  command.addHelpText(
    'after',
    `
With the setting synProtection, on guarded interfaces (setting guardInterfaces): one source that opens more than synSourceRate TCP
connections a second has the rest dropped, and what is more than synListenerRate a second for one listening socket is answered
with SYN cookies of the kernel's before its stack sees it. All three settings can change while the agent runs.

Examples:
  echo 'synProtection: 22,443' >> /etc/tortie/tortie.yaml && systemctl reload tortie
  tortie syn status`,
  );
  command
    .command('status')
    .description('settings and interfaces, and how many SYNs were dropped and answered')
    .addOption(socketOption())
    .addOption(outputOption())
    .action(async ({ socket, output }: { socket: string; output: OutputFormat }) => {
      const { syn } = await askAgent<BlockReport>(socket, 'GET', '/block');
      await printData(syn, output, () => describeSyn(syn));
    });
}

export function describeSyn({ protection, sourceRate, listenerRate, interfaces, lack, ...counts }: SynStatus): string {
  const { limited, answered } = counts;
  const places = interfaces.length === 0 ? paint('no interface', 'red') : interfaces.join(', ');
  const isOff = protection === 'off';
  return [
    `protection  ${isOff ? 'off' : `ports ${protection}, on ${places}`}`,
    `per source  ${sourceRate === 0 ? 'any number' : `${sourceRate} SYNs a second`}: ${limited.packets} dropped`,
    `per socket  ${listenerRate} SYNs a second: ${answered.packets} answered with cookies`,
    ...(lack === null ? [] : [`${paint('no cookies', 'red')}  ${lack}`]),
  ].join('\n');
}
