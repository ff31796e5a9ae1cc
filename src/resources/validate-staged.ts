// Staged policies that announce a deletion: they say which policy goes, and nothing else.
import type { Report } from './report.ts';

/** `what` names the fields that must be empty, as in Calico's message; `allowed` are the others. Zero values say nothing. */
export function checkStagedDelete(spec: object, what: string, allowed: readonly string[], report: Report): void {
  for (const [field, value] of Object.entries(spec)) {
    if (field === 'stagedAction' || allowed.includes(field) || isZero(value)) continue;
    report(['spec', field], `${what} should all be zero-value if stagedAction is Delete`);
  }
}

/** 0 is an order like any other, not the absence of one. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === '' || value === false) return true;
  return Array.isArray(value) && value.length === 0;
}
