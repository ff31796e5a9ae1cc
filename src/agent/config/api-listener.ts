// The listener for other machines, as settings ask for it: none, or one with all that mutual TLS needs. Opened elsewhere.
import { DataplaneError } from '../../base/errors.ts';
import type { TlsListenerOptions } from '../api/options.ts';
import { valuesOf } from './agent-options.ts';
import type { ResolvedSettings } from './layer.ts';
import { splitAddress } from './value-type.ts';

const NEEDED = ['apiCertificate', 'apiKey', 'apiClientAuthority'] as const;

/** undefined = none is asked for. To be called with settings in which findListenerErrors finds nothing. */
export function apiListenerOf(settings: ResolvedSettings): TlsListenerOptions | undefined {
  const { apiAddress, apiCertificate, apiKey, apiClientAuthority } = valuesOf(settings);
  const place = splitAddress(apiAddress);
  if (place === undefined) return undefined;
  return { ...place, certificateFile: apiCertificate, keyFile: apiKey, clientAuthorityFile: apiClientAuthority };
}

/** MISSING_FIELD for each setting without which there is no listener: half of mutual TLS would be none. */
export function findListenerErrors(settings: ResolvedSettings): DataplaneError[] {
  const asked = settings.get('apiAddress');
  if (asked === undefined || asked.value === '') return [];
  return NEEDED.filter((name) => settings.get(name)?.value === '').map(
    (name) =>
      new DataplaneError('MISSING_FIELD', 'is needed for a listener for other machines', {
        operation: 'read',
        target: 'configuration',
        field: name,
        expected: 'a path',
        hint: `${asked.origin} asks for that listener; it also needs ${NEEDED.filter((one) => one !== name).join(' and ')}`,
      }),
  );
}
