// Every attack on the programs, by the file of its case, and the first of them that does not come to what it should.
import { addressAttacks } from '../cases/addresses.ts';
import { connectionAttacks } from '../cases/connections.ts';
import { controlAttacks } from '../cases/control.ts';
import { fragmentAttacks } from '../cases/fragments.ts';
import { frameAttacks } from '../cases/frames.ts';
import { memoryAttacks } from '../cases/memory.ts';
import { Arena, type Attack } from './arena.ts';
import { attempt } from './judge-attack.ts';

export const allAttacks: Readonly<Record<string, readonly Attack[]>> = {
  addresses: addressAttacks,
  frames: frameAttacks,
  fragments: fragmentAttacks,
  connections: connectionAttacks,
  control: controlAttacks,
  memory: memoryAttacks,
};

/** Asks the programs as they are built now. Throws what Machine does if they do not load. */
export function firstFailure(): { readonly attack: string; readonly problem: string } | undefined {
  const shared = new Arena();
  try {
    for (const attack of Object.values(allAttacks).flat()) {
      const problem = judgeOrThrown(shared, attack);
      if (problem !== undefined) return { attack: attack.name, problem };
    }
    return undefined;
  } finally {
    shared.close();
  }
}

/** Cases prepare their ground with packets that must pass, and throw if they do not. */
function judgeOrThrown(shared: Arena, attack: Attack): string | undefined {
  try {
    return attempt(shared, attack);
  } catch (error) {
    return (error as Error).message;
  }
}
