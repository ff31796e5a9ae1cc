import { describe, expect, it } from 'vitest';
import { apiListenerOf, findListenerErrors } from '../../../../src/agent/config/api-listener.ts';
import { NO_LAYERS, type ResolvedSettings, resolveSettings } from '../../../../src/agent/config/layer.ts';
import { splitAddress } from '../../../../src/agent/config/value-type.ts';

const FILES = { apiCertificate: '/c.pem', apiKey: '/c.key', apiClientAuthority: '/ca.pem' };

function settings(given: Readonly<Record<string, string>>): ResolvedSettings {
  const layer = Object.entries(given).map(([name, value]) => [name, { value, origin: `tortie.yaml ${name}` }] as const);
  return resolveSettings({ ...NO_LAYERS, file: new Map(layer) });
}

describe('the listener that settings ask for', () => {
  it('is none unless there is an address', () => {
    expect(apiListenerOf(settings({}))).toBeUndefined();
    expect(apiListenerOf(settings(FILES))).toBeUndefined();
    expect(findListenerErrors(settings(FILES))).toEqual([]);
  });

  it('is at the address, with all that mutual TLS needs', () => {
    const complete = settings({ apiAddress: '[2001:db8::1]:7443', ...FILES });
    expect(findListenerErrors(complete)).toEqual([]);
    expect(apiListenerOf(complete)).toEqual({
      address: '2001:db8::1',
      port: 7443,
      certificateFile: '/c.pem',
      keyFile: '/c.key',
      clientAuthorityFile: '/ca.pem',
    });
  });

  it.each(Object.keys(FILES))('is refused without %s', (name) => {
    const errors = findListenerErrors(settings({ apiAddress: '127.0.0.1:7443', ...FILES, [name]: '' }));
    expect(errors).toMatchObject([
      { code: 'MISSING_FIELD', field: name, message: expect.stringContaining('tortie.yaml apiAddress asks for') },
    ]);
  });

  it.each([
    ['127.0.0.1:7443', { address: '127.0.0.1', port: 7443 }],
    ['[::]:65535', { address: '::', port: 65535 }],
    ['127.0.0.1', undefined],
    ['127.0.0.1:0', undefined],
    ['127.0.0.1:65536', undefined],
    ['127.0.0.256:1', undefined],
    ['::1:7443', undefined],
    ['[127.0.0.1]:7443', undefined],
    ['localhost:7443', undefined],
    [':7443', undefined],
  ])('takes %s for %j', (written, expected) => {
    expect(splitAddress(written)).toEqual(expected);
  });
});
