// Verdict words back to what they say.
import { pendingVerdict, type SideVerdict } from '../model/verdict.ts';
import { WORD } from './layout.ts';
import type { Stories } from './stories.ts';

/** The verdict and traces of a word. A hole, and a trace id that is no longer known, deny with an empty trace. */
export function decodeWord(word: number, endpoint: string, stories: Stories): SideVerdict {
  const { trace, pending } = stories.tell(word >>> WORD.ID_SHIFT) ?? { trace: [] };
  const side: SideVerdict = {
    endpoint,
    verdict: word & WORD.ALLOW ? 'allow' : 'deny',
    trace,
    isLogged: (word & WORD.LOG) !== 0,
  };
  return pending === undefined ? side : { ...side, pending: pendingVerdict(pending) };
}
