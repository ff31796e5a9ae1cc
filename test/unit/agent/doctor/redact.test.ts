import { describe, expect, it } from 'vitest';
import { REDACTED, redactData, redactText } from '../../../../src/agent/doctor/redact.ts';

const SECRET = 'hunter2hunter2';
const KEY = `-----BEGIN EC PRIVATE KEY-----\n${SECRET}\n-----END EC PRIVATE KEY-----`;

describe('redaction', () => {
  it.each([
    ['a PEM key', KEY],
    ['a PEM key in JSON', JSON.stringify({ note: KEY })],
    ['a PEM key that was cut', KEY.slice(0, 50)],
    ['a password in a URL', `https://user:${SECRET}@registry.example/x`],
    ['a token in a query', `GET /v1?access_token=${SECRET}&limit=3`],
    ['a header', `Authorization: Bearer ${SECRET}`],
    ['a variable', `API_KEY=${SECRET} tortie agent`],
    ['YAML', `clientSecret: "${SECRET}"`],
    ['JSON as text', `{"password":"${SECRET}","port":1}`],
    ['JSON in JSON', `{\\"token\\":\\"${SECRET}\\"}`],
    ['the path of a webhook', `exports: webhook+https://hooks.example/T0/${SECRET}#actions=deny`],
    ['the query of a collector, in JSON', `{"exports":"otlp+https://c.example:4318?key=${SECRET}"}`],
    ['a webhook in an error that was cut', `exporter "webhook+https://h.example/${SECRET}...: is invalid`],
    ['the secret of a webhook', `whsec_${SECRET}==`],
    ['a web token', `said eyJhbGciOiJI.eyJ${SECRET}.abc to all`],
  ])('takes the secret out of %s', (_, text) => {
    expect(redactText(text)).not.toContain(SECRET);
    expect(redactText(text)).toContain(REDACTED);
  });

  it.each([
    'policy default/allow-dns: port 53 of 10.0.0.1 allowed',
    '{"tokenFile":"/etc/tortie/token","generation":5}',
    'https://tortie.example/docs?page=2',
    'file:///var/log/tortie/flows.jsonl#keep=7 otlp+https://c.example:4318#headers=/etc/tortie/otel-headers',
    '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  ])('leaves %j as it is', (text) => {
    expect(redactText(text)).toBe(text);
    expect(redactData({ text })).toEqual({ text });
  });

  it('takes values of secret fields out of data, and keeps where secrets are', () => {
    const found = redactData({
      tlsKeyFile: '/etc/tortie/key.pem',
      settings: [{ name: 'apiToken', value: SECRET, source: 'file' }],
      store: { password: SECRET, credentials: { user: SECRET }, empty: '', nothing: null },
      secret: { kind: 'Secret', metadata: { name: 'db' }, data: { db: SECRET }, stringData: { db: SECRET } },
    });
    expect(JSON.stringify(found)).not.toContain(SECRET);
    expect(found).toMatchObject({
      tlsKeyFile: '/etc/tortie/key.pem',
      settings: [{ name: 'apiToken', value: REDACTED, source: 'file' }],
      store: { password: REDACTED, credentials: REDACTED, empty: '', nothing: null },
    });
  });

  it('keeps the names of a Secret', () => {
    const secret = { kind: 'Secret', metadata: { name: 'db' }, data: { db: SECRET } };
    expect(redactData(secret)).toEqual({ kind: 'Secret', metadata: { name: 'db' }, data: REDACTED });
  });
});
