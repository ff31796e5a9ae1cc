// tortie cleanup: the end of enforcement. Detaches every program and removes every pin.
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { endpointDirectory } from '../../agent/endpoint-files.ts';
import { cleanUp } from '../../kernel/clean-up.ts';
import { bpffsOption, pinRootOption, socketOption } from '../options.ts';
import { print } from '../output.ts';

export function fillCleanupCommand(command: Command): void {
  command
    .addOption(bpffsOption())
    .addOption(pinRootOption())
    .addOption(socketOption())
    .action(({ bpffs, pinRoot, socket }: { bpffs: string; pinRoot?: string; socket: string }, self: Command) => {
      const { interfaces, isPinRootRemoved } = cleanUp(pinRoot ?? join(bpffs, 'tortie'));
      // Of another agent's pins the socket must be named: what is beside the default one may be somebody else's.
      if (pinRoot === undefined || self.getOptionValueSource('socket') !== 'default') {
        rmSync(endpointDirectory(socket), { recursive: true, force: true });
      }
      if (!isPinRootRemoved && interfaces.length === 0) print('nothing to clean up');
      else print(`removed pins; programs taken off: ${interfaces.join(', ') || 'no interface'}`);
    });
}
