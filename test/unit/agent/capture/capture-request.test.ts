import { describe, expect, it } from 'vitest';
import { CAPTURE_DEFAULTS, parseCaptureRequest } from '../../../../src/agent/capture/capture-request.ts';

describe('what is asked of a capture', () => {
  it('is of endpoints, with bounds that everything has', () => {
    expect(parseCaptureRequest({ namespace: 'shop', verdict: 'deny' })).toEqual({
      ...CAPTURE_DEFAULTS,
      endpoints: { namespace: 'shop', selector: undefined, endpoint: undefined },
      allowed: false,
      denied: true,
    });
    expect(parseCaptureRequest({ selector: "app == 'web'" }).endpoints?.selector).toMatchObject({ kind: 'equals' });
    expect(parseCaptureRequest({ drops: true })).toMatchObject({ endpoints: undefined, allowed: false, denied: true });
    const ofHost = { endpoints: undefined, hostEndpoint: 'gate', allowed: false, denied: true };
    expect(parseCaptureRequest({ hostEndpoint: 'gate', verdict: 'deny' })).toMatchObject(ofHost);
  });

  it.each([
    [{}, /whose packets/],
    [{ drops: false }, /whose packets/],
    [{ drops: true, namespace: 'a' }, /whose packets/],
    [{ hostEndpoint: 'gate', namespace: 'a', verdict: 'deny' }, /whose packets/],
    [{ hostEndpoint: 'gate', drops: true, verdict: 'deny' }, /whose packets/],
    [{ hostEndpoint: 'gate' }, /verdict/],
    [{ hostEndpoint: 'gate', verdict: 'allow' }, /verdict/],
    [{ selector: 'app ==' }, /selector/],
    [{ endpoint: 'web' }, /namespace\/name/],
    [{ namespace: 'a', seconds: 0 }, /seconds/],
    [{ namespace: 'a', seconds: 86_401 }, /seconds/],
    [{ namespace: 'a', snapBytes: 1501 }, /snapBytes/],
    [{ namespace: 'a', packetsPerSecond: 1e9 }, /packetsPerSecond/],
    [{ namespace: 'a', verdict: 'maybe' }, /verdict/],
    [{ namespace: 'a', more: 1 }, /more/],
    ['text', /object/],
    [null, /object/],
  ])('is refused if nobody could do it: %j', (body, why) => {
    expect(() => parseCaptureRequest(body)).toThrow(why);
  });
});
