import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EndpointFiles, endpointDirectory, endpointFileName } from '../../../src/agent/endpoint-files.ts';

const RED = { endpoint: 'lab/red', interface: 'calired', ifindex: 7 };
const GREEN = { endpoint: 'lab/green', interface: 'caligreen', ifindex: 8 };

describe('files of enforced endpoints', () => {
  let folder: string;
  let directory: string;
  let said: string[];

  const files = ({ isInForce = true, now = 0 } = {}) =>
    new EndpointFiles(directory, { warn: (message) => void said.push(message) }, isInForce, () => now);
  const names = () => readdirSync(directory).sort();

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tortie-endpoints-'));
    directory = endpointDirectory(join(folder, 'agent.sock'));
    said = [];
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('are there while endpoints are enforced, whole and for their owner only', () => {
    const all = files();
    all.tell([RED, GREEN]);
    expect(names()).toEqual(['lab_green.json', 'lab_red.json']);
    const path = join(directory, 'lab_red.json');
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ ...RED, since: '1970-01-01T00:00:00.000Z' });
    expect([statSync(path).mode & 0o777, statSync(directory).mode & 0o777]).toEqual([0o600, 0o700]);
    all.keep([GREEN]);
    expect(names()).toEqual(['lab_green.json']);
    all.tell([GREEN, RED]);
    expect(names()).toEqual(['lab_green.json', 'lab_red.json']);
    expect(said).toEqual([]);
  });

  it('go when another interface has the name, until policy is in force for it', () => {
    const all = files();
    all.tell([RED]);
    all.keep([{ ...RED, ifindex: 9 }]);
    expect(names()).toEqual([]);
    all.tell([{ ...RED, ifindex: 9 }]);
    expect(JSON.parse(readFileSync(join(directory, 'lab_red.json'), 'utf8'))).toMatchObject({ ifindex: 9 });
  });

  it('of an agent before stay while what it put in force does, and are as they were once policy is', () => {
    files().tell([RED, GREEN]);
    const all = files({ now: 5000 });
    // Manifests are not read yet.
    all.keep([]);
    expect(names()).toEqual(['lab_green.json', 'lab_red.json']);
    all.tell([RED, GREEN]);
    expect(JSON.parse(readFileSync(join(directory, 'lab_red.json'), 'utf8')).since).toBe('1970-01-01T00:00:00.000Z');
    all.keep([GREEN]);
    expect(names()).toEqual(['lab_green.json']);
    expect(said).toEqual([]);
  });

  it('of an agent before go with their interface: at once where there is another, else when policy is in force', () => {
    files().tell([RED, GREEN]);
    const all = files();
    all.keep([{ ...RED, ifindex: 9 }]);
    expect(names()).toEqual(['lab_green.json']);
    all.tell([{ ...RED, ifindex: 9 }]);
    expect(names()).toEqual(['lab_red.json']);
    expect(JSON.parse(readFileSync(join(directory, 'lab_red.json'), 'utf8'))).toMatchObject({ ifindex: 9 });
  });

  it('of an agent before that nobody can read are written anew, and what is no such file goes', () => {
    files().tell([RED]);
    writeFileSync(join(directory, 'lab_red.json'), '{"ifindex":');
    writeFileSync(join(directory, 'lab_green.json.new'), '');
    const all = files();
    all.tell([RED]);
    expect(names()).toEqual(['lab_red.json']);
    expect(JSON.parse(readFileSync(join(directory, 'lab_red.json'), 'utf8'))).toMatchObject(RED);
  });

  it('of an agent before say nothing where the kernel enforces nothing', () => {
    files().tell([RED]);
    files({ isInForce: false });
    expect(() => names()).toThrow('ENOENT');
  });

  it('are none at the first start, which is nothing to complain of', () => {
    files().keep([]);
    expect(said).toEqual([]);
  });

  it('that cannot be written are tried again, and complained of once', () => {
    const all = files();
    mkdirSync(folder, { recursive: true });
    writeFileSync(directory, 'in the way');
    all.tell([RED]);
    all.tell([RED]);
    expect(said).toHaveLength(1);
    rmSync(directory);
    all.tell([RED]);
    expect(names()).toEqual(['lab_red.json']);
  });

  it('are named so that no two endpoints have one, and none leads elsewhere', () => {
    expect(endpointFileName('shop/api-1')).toBe('shop_api-1.json');
    expect(endpointFileName('a_b/c')).not.toBe(endpointFileName('a/b_c'));
    expect(endpointFileName('../..')).toBe('.._...json');
    expect(endpointFileName('a/b/../../c')).not.toContain('/');
  });
});
