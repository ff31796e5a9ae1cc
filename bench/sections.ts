// The sections of `npm run bench`, in the order they run in: one line each.
import { benchDiff } from './diff.ts';
import type { BenchSection } from './run.ts';
import { benchVerdict } from './verdict.ts';

export const SECTIONS: Readonly<Record<string, BenchSection>> = {
  verdict: benchVerdict,
  diff: benchDiff,
};
