// Verdict words back to what they say.
import { decisionOf, type ListVerdict } from '../model/path.ts';
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

/** The same of a host endpoint's list, which may decide nothing. */
export function decodeListWord(word: number, stories: Stories): ListVerdict {
  const { trace, pending } = stories.tell(word >>> WORD.ID_SHIFT) ?? { trace: [] };
  const verdict = word & WORD.NEXT ? 'next' : word & WORD.ALLOW ? 'allow' : 'deny';
  const list: ListVerdict = { verdict, trace, isLogged: (word & WORD.LOG) !== 0 };
  return pending === undefined ? list : { ...list, pending: { verdict: decisionOf(pending), trace: pending } };
}
