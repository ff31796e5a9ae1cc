import { describe, expect, it } from 'vitest';
import type { DataplaneError } from '../../../src/base/errors.ts';
import { judge } from '../../support/judge.ts';
import { worldFrom } from '../../support/world-from.ts';
import { type Choice, WORLD } from './choice.ts';
import { KEPT } from './kept.ts';
import { MENDED } from './mended.ts';

function hold({ manifests, answers = [], refused }: Choice): void {
  if (refused !== undefined) {
    const error = refusalOf(manifests);
    expect({ code: error?.code, field: error?.field }).toEqual({ code: refused.code, field: refused.field });
    expect(error?.message).toMatch(refused.message);
    return;
  }
  const judged = judge(WORLD + manifests, ...answers.map(({ ask }) => ask));
  for (const [index, { ask, egress, ingress, pending }] of answers.entries()) {
    const { egress: sent, ingress: received } = judged[index] as (typeof judged)[number];
    const found = { ask, egress: sent?.trace, ingress: received?.trace, pending: received?.pending?.trace };
    expect(found).toMatchObject({
      ask,
      ...(egress === undefined ? {} : { egress }),
      ...(ingress === undefined ? {} : { ingress }),
      ...(pending === undefined ? {} : { pending }),
    });
  }
}

function refusalOf(manifests: string): DataplaneError | undefined {
  try {
    worldFrom(WORLD + manifests);
    return undefined;
  } catch (error) {
    return error as DataplaneError;
  }
}

describe('mended', () => {
  it.each(MENDED)('$subject', hold);
});

describe('kept', () => {
  it.each(KEPT)('$subject', hold);
});
