// Values of FelixConfiguration that are written otherwise than the settings they stand for.
import { isIP } from 'node:net';
import type { FelixConfigurationSpec } from '../../resources/schemas/felix-configuration.ts';

const SECONDS: Readonly<Record<string, number>> = { ms: 0.001, s: 1, m: 60, h: 3600 };
/** Felix's own. */
const METRICS_PORT = 9091;

/** Of a time as Go writes it: `1m30s`. */
export function secondsOf(written: string): number {
  return [...written.matchAll(/([\d.]+)(ms|s|m|h)/g)].reduce(
    (sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit] ?? 0),
    0,
  );
}

/**
 * Where metrics are answered, '' = nowhere. undefined = as written it cannot be: for a port or host that is none, and where TLS
 * is asked for, which must not become an answer to everybody.
 */
export function metricsAddressOf(isEnabled: unknown, spec: FelixConfigurationSpec): string | undefined {
  if (isEnabled !== true) return '';
  const { prometheusMetricsHost: named = '', prometheusMetricsPort: port = METRICS_PORT } = spec;
  const { prometheusMetricsCertFile, prometheusMetricsKeyFile } = spec as Readonly<Record<string, unknown>>;
  if ((prometheusMetricsCertFile ?? '') !== '' || (prometheusMetricsKeyFile ?? '') !== '') return undefined;
  const host = named === '' ? '::' : named === 'localhost' ? '127.0.0.1' : named;
  const family = isIP(host);
  if (family === 0 || port === 0) return undefined;
  return family === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
