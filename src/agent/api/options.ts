// The listener for other machines: off unless it is given, and then for clients with a certificate only.
import { readFileSync } from 'node:fs';
import { DataplaneError } from '../../base/errors.ts';

export interface TlsListenerOptions {
  /** Address to listen on. */
  readonly address: string;
  readonly port: number;
  /** PEM files: the server's certificate and key, and the authority that clients' certificates are from. */
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly clientAuthorityFile: string;
}

export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly ca: Buffer;
}

/** Throws FILE_UNREADABLE. */
export function readTlsMaterial(options: TlsListenerOptions): TlsMaterial {
  const { certificateFile, keyFile, clientAuthorityFile } = options;
  return { cert: readPem(certificateFile), key: readPem(keyFile), ca: readPem(clientAuthorityFile) };
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new DataplaneError('FILE_UNREADABLE', 'cannot be read', { operation: 'start API', target: path, cause });
  }
}
