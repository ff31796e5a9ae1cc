// tortie cleanup: the end of enforcement. Detaches every program and removes every pin.
import { join } from 'node:path';
import type { Command } from 'commander';
import { cleanUp } from '../../kernel/clean-up.ts';
import { bpffsOption, pinRootOption } from '../options.ts';
import { print } from '../output.ts';

export function fillCleanupCommand(command: Command): void {
  command
    .addOption(bpffsOption())
    .addOption(pinRootOption())
    .action(({ bpffs, pinRoot }: { bpffs: string; pinRoot?: string }) => {
      const { interfaces, isPinRootRemoved } = cleanUp(pinRoot ?? join(bpffs, 'tortie'));
      if (!isPinRootRemoved && interfaces.length === 0) print('nothing to clean up');
      else print(`removed pins; programs taken off: ${interfaces.join(', ') || 'no interface'}`);
    });
}
