// Checks of the block list: is the guard where it should be, and in which mode.
import { type Check, fail, type Judgement, type Machine, ok, skip, warn } from './finding.ts';

export const BLOCK_CHECKS: readonly Check[] = [
  { id: 'block', checked: 'blocked sources are dropped on the interfaces that they come in by', run: checkBlock },
];

async function checkBlock(machine: Machine): Promise<Judgement> {
  const block = (await machine.status())?.block;
  if (block === undefined) return skip('no agent to ask');
  const { entries, feeds, prefixes, interfaces, error, drops } = block;
  if (error !== null) {
    return fail(error, 'see: tortie block list; which interfaces are guarded is the setting guardInterfaces');
  }
  if (entries + feeds === 0 && interfaces.length === 0) return skip('nothing is blocked');
  if (drops.hole.packets > 0) {
    return warn(
      `${drops.hole.packets} packets were dropped because the table led nowhere`,
      'this is a bug: please report it with a support bundle; tortie cleanup and a restart make the table anew',
    );
  }
  const places = interfaces.map((one) => `${one.interface} (${one.mode})`);
  const generic = interfaces.filter(({ mode }) => mode === 'generic');
  const found = `${prefixes} prefixes, guarded: ${places.join(', ')}`;
  if (generic.length === 0) return ok(found);
  return warn(
    found,
    'generic mode drops after the kernel has made a packet of the frame, at several times the cost: a driver with XDP does better',
  );
}
