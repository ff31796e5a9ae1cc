import { describe, expect, it } from 'vitest';
import { describeManifests } from '../../../src/agent/status.ts';
import { DataplaneError } from '../../../src/base/errors.ts';

const REFUSED = { code: 'UNKNOWN_KIND', message: 'lab.yaml:1: no such kind' };
const stored = { errors: [] };
const feed = { status: () => ({ directory: '/manifests', objects: 3, errors: [REFUSED] }) };

describe('manifests of the status', () => {
  it('are as many as were taken over while they are loaded', () => {
    expect(describeManifests(feed, undefined, { error: undefined }, stored)).toEqual(feed.status());
    expect(describeManifests(feed, { objects: 9 }, { error: undefined }, stored)).toEqual({
      ...feed.status(),
      objects: 9,
    });
  });

  it('have interfaces given by hand beside them that nobody can read', () => {
    const error = new DataplaneError('STORE_FAILED', 'is empty', { operation: 'read', target: 'interfaces.json' });
    const { errors } = describeManifests(feed, undefined, { error }, stored);
    expect(errors).toEqual([REFUSED, { code: 'STORE_FAILED', message: 'read interfaces.json: is empty' }]);
  });
});
