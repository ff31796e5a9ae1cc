import { describe, expect, it } from 'vitest';
import { codeFingerprint } from '../../../src/agent/code-fingerprint.ts';

describe('codeFingerprint', () => {
  it('is the same for the same code', () => {
    expect(codeFingerprint()).toBe(codeFingerprint());
  });

  it('is a whole SHA-256', () => {
    expect(Buffer.from(codeFingerprint(), 'base64url')).toHaveLength(32);
  });
});
