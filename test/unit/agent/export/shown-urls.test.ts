import { expect, it } from 'vitest';
import { showUrls } from '../../../../src/agent/export/shown-urls.ts';

it.each([
  ['webhook+https://hooks.example/services/T0/B0/token', 'webhook+https://hooks.example/***'],
  ['webhook+https://a.example/in?key=secret#secret=/etc/a', 'webhook+https://a.example/***#secret=/etc/a'],
  ['webhook+https://a.example?key=secret', 'webhook+https://a.example/***'],
  ['otlp+https://user:secret@otel.example:4318', 'otlp+https://***@otel.example:4318'],
  ['otlp+https://otel.example:4318/#signals=logs', 'otlp+https://otel.example:4318/#signals=logs'],
  ['https://a.example/token', 'https://a.example/***'],
  ['file:///var/log/a.jsonl#keep=3', 'file:///var/log/a.jsonl#keep=3'],
  ['syslog+udp://10.0.0.1  ipfix+udp://[::1]:4739', 'syslog+udp://10.0.0.1  ipfix+udp://[::1]:4739'],
  ['auto', 'auto'],
  ['', ''],
])('shows %s without secrets', (url, shown) => {
  expect(showUrls(url)).toBe(shown);
});
