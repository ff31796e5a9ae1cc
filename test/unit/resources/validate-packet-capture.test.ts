import { describe, expect, it } from 'vitest';
import { parseResource } from '../../../src/model/parse/parse-resource.ts';
import { parseDocuments } from '../../../src/resources/document.ts';

function problems(spec: object): string[] {
  const text = JSON.stringify({
    apiVersion: 'projectcalico.org/v3',
    kind: 'PacketCapture',
    metadata: { name: 'seen', namespace: 'shop' },
    spec,
  });
  const { resources, errors } = parseDocuments(text, 'capture.yaml');
  return [...errors, ...resources.flatMap((resource) => parseResource(resource).errors)].map(({ message }) => message);
}

describe('a PacketCapture', () => {
  it.each([
    {},
    { selector: '' },
    { selector: "app == 'web'", filters: [{ protocol: 'TCP', ports: [80, '443', '8000:8010'] }, { protocol: 'ICMP' }] },
    { startTime: '2026-01-31T12:00:00Z', endTime: '2026-01-31T14:00:00+01:00' },
  ])('is accepted: %j', (spec) => {
    expect(problems(spec)).toEqual([]);
  });

  it.each([
    [{ selector: 'app ==' }, /selector/],
    [{ filters: [{ protocol: 'ICMP', ports: [80] }] }, /does not support ports/],
    [{ filters: [{ protocol: 'TCP', ports: ['http'] }] }, /names of ports/],
    [{ filters: [{ protocol: 'TCP', ports: ['90:80'] }] }, /port range/],
    [{ filters: [{ protocol: 'none' }] }, /protocol/],
    [{ startTime: 'soon' }, /a time such as/],
    [{ startTime: '2026-02-01T00:00:00Z', endTime: '2026-01-01T00:00:00Z' }, /ends before it begins/],
    [{ more: 1 }, /more/],
  ])('is refused with what is wrong: %j', (spec, why) => {
    expect(problems(spec)).toEqual([expect.stringMatching(why)]);
  });
});
