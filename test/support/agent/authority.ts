// A certificate authority of a test's own, and certificates of it, made by openssl in a folder that goes away with the test.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Authority implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'tortie-tls-'));

  /** Makes the authority itself: `ca.pem` and `ca.key`. */
  constructor() {
    this.#make('ca', '/CN=authority', []);
  }

  /** Makes `<name>.pem` and `<name>.key`, for a server at 127.0.0.1 too; over those of that name. */
  certify(name: string, subject = `/O=operators/CN=${name}`): void {
    this.#make(name, subject, ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-addext', 'subjectAltName=IP:127.0.0.1']);
  }

  /** A certificate that signs itself. */
  forge(name: string): void {
    this.#make(name, `/CN=${name}`, []);
  }

  path(file: string): string {
    return join(this.folder, file);
  }

  /** GET by the certificate of that name, undefined = by none. Resolves with status and the server's common name; rejects when refused. */
  get(port: number, path: string, name?: string): Promise<{ readonly status: number; readonly server: string }> {
    const own = name === undefined ? {} : { cert: this.#read(`${name}.pem`), key: this.#read(`${name}.key`) };
    const options = { host: '127.0.0.1', port, path, ca: this.#read('ca.pem'), agent: false, ...own };
    return new Promise((resolve, reject) => {
      const outgoing = request(options, (response) => {
        const { socket } = response;
        const server = 'getPeerCertificate' in socket ? peerName(socket as never) : '';
        response.resume().on('end', () => resolve({ status: response.statusCode ?? 0, server }));
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  #read(file: string): Buffer {
    return readFileSync(this.path(file));
  }

  #make(name: string, subject: string, more: readonly string[]): void {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`];
    const argv = ['req', '-x509', ...key, '-out', `${name}.pem`, '-days', '2', '-subj', subject, ...more];
    execFileSync('openssl', argv, { cwd: this.folder, stdio: 'ignore' });
  }
}

function peerName(socket: {
  getPeerCertificate(): { readonly subject?: { readonly CN?: string | string[] } };
}): string {
  return String(socket.getPeerCertificate().subject?.CN ?? '');
}
