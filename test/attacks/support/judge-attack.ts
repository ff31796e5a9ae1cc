// Whether an attack came to what it should have, and nobody else noticed. Knows no test runner: the mutants ask without one.
import { isDeepStrictEqual } from 'node:util';
import { Arena, type Attack } from './arena.ts';

/** What is wrong, or undefined. */
export function judgeAttack(arena: Arena, attack: Attack): string | undefined {
  arena.reset();
  const before = arena.bystanders();
  if (before.length !== 2) return `${before.length} bystanders`;
  const isAllowed = attack.reason.startsWith('ALLOWED');
  const action = isAllowed ? (attack.action ?? 'ok') : 'shot';
  const expected = `${action} ${attack.reason}`;
  const found = [attack.send(arena)].flat().map((outcome) => `${outcome.action} ${outcome.reason}`);
  const wrong = found.findIndex((one) => one !== expected);
  if (wrong >= 0) return `frame ${wrong}: found ${found[wrong]}, expected ${expected}`;
  if (!isDeepStrictEqual(arena.bystanders(), before)) return 'the flows of others are not what they were';
  const flows = arena.otherFlows();
  const allowed = attack.flows ?? (isAllowed ? 1 : 0);
  if (flows > allowed) return `it left ${flows} flows, expected no more than ${allowed}`;
  const next = arena.continueBystanders().map((outcome) => outcome.action);
  return next.every((one) => one === 'ok') ? undefined : `the next packets of others: ${next.join(', ')}`;
}

/** The attack in a shared arena, or in one of its own if it asks for settings. */
export function attempt(shared: Arena, attack: Attack): string | undefined {
  if (attack.settings === undefined) return judgeAttack(shared, attack);
  const arena = new Arena(attack.settings);
  try {
    return judgeAttack(arena, attack);
  } finally {
    arena.close();
  }
}
