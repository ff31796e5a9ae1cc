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

  const files = () => new EndpointFiles(directory, { warn: (message) => void said.push(message) }, () => 0);
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

  it('of an agent before say nothing', () => {
    files().tell([RED]);
    files();
    expect(() => names()).toThrow('ENOENT');
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
