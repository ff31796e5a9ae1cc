import { describe, expect, it } from 'vitest';
import { describeLiveManifests, readLiveManifests } from '../../../src/agent/live-manifests.ts';
import { snapshotOf } from '../../support/diff/states.ts';
import { manifestsOf } from '../../support/worlds/manifests.ts';
import { newSeed } from '../../support/worlds/questions.ts';
import { Random } from '../../support/worlds/random.ts';

describe('live manifests', () => {
  it('come back from an agent as what it has', () => {
    const seed = newSeed('live manifests');
    for (let index = 0; index < 40; index += 1) {
      const { objects } = snapshotOf(manifestsOf(new Random(seed, index)));
      const sent: unknown = JSON.parse(JSON.stringify(describeLiveManifests(objects.values())));
      const received = readLiveManifests(sent);
      expect(received.errors, `world ${index}`).toEqual([]);
      expect(JSON.stringify([...received.objects]), `world ${index}`).toBe(JSON.stringify([...objects]));
    }
  });

  it('place rules at the line of their object', () => {
    const { objects } = snapshotOf([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'a' } },
      {
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'p' },
        spec: { ingress: [{ action: 'Allow' }] },
      },
    ]);
    const [, policy] = readLiveManifests(describeLiveManifests(objects.values())).objects.values();
    expect([policy?.location, policy?.lineOf(['spec', 'ingress', 0])]).toEqual([
      { file: 'generated.yaml', line: 3 },
      3,
    ]);
  });

  it('of another version are refused', () => {
    expect(() => readLiveManifests({ objects: [{ name: 'a' }] })).toThrow('the answer is not understood');
  });

  it('names what only another version understands, and leaves it out of nothing', () => {
    const metadata = { name: 'a' };
    const manifest = { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata, spec: { order: 1, depth: 2 } };
    const refused = { code: 'VERSION_SKEW', message: expect.stringContaining('depth') };
    const read = () => readLiveManifests({ objects: [{ file: 'a.yaml', line: 1, manifest }] });
    expect(read).toThrow(expect.objectContaining(refused));
  });
});
