// Takes out of what is handed to others what nobody else may know: keys, tokens, passwords. Rather too much than too little.

export const REDACTED = 'REDACTED';

/** Names of fields whose value is nobody else's business. */
const SECRET_NAME =
  /(secret|token|passw(or)?d|passphrase|api[-_]?key|private[-_]?key|access[-_]?key|credential|authorization|cookie|psk)/i;
/** Names that end so tell where a secret is, or that there is one, not what it is. */
const PLACE_NAME = /(file|path|dir|directory|name|ref|count|ttl)$/i;

/** Plain data without the secrets in it; of an object of kind Secret only names stay. */
export function redactData(value: unknown): unknown {
  if (typeof value === 'string') return redactText(value);
  if (Array.isArray(value)) return value.map(redactData);
  if (typeof value !== 'object' || value === null) return value;
  const fields = value as Readonly<Record<string, unknown>>;
  const isSecret = fields.kind === 'Secret';
  // A list of settings or environment variables names the field in a field.
  const isNamed = typeof fields.name === 'string' && isSecretName(fields.name);
  return Object.fromEntries(
    Object.entries(fields).map(([name, inner]) => {
      const isHidden =
        isSecretName(name) || (isSecret && /^(data|stringData)$/.test(name)) || (isNamed && name === 'value');
      return [redactText(name), isHidden && inner !== null && inner !== '' ? REDACTED : redactData(inner)];
    }),
  );
}

function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !PLACE_NAME.test(name);
}

/** Each pattern with what its match becomes. None may look far ahead from where nothing begins: logs are long. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // PEM, also with its line ends written as \n; an end that was cut off does not save the beginning.
  [/-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g, `${REDACTED} PRIVATE KEY`],
  // scheme://user:password@host
  [/(\b[a-z][a-z0-9+.-]{0,30}:\/\/)[^\s/@"']+@/gi, `$1${REDACTED}@`],
  // Where flow logs are sent: whoever knows the path of a webhook may write to it.
  [/\b((?:webhook|otlp)\+https?:\/\/[^\s/?#"'\\]{1,300})[/?][^\s#"'\\]*/gi, `$1/${REDACTED}`],
  // What signs them, as Standard Webhooks writes it.
  [/\bwhsec_[A-Za-z0-9+/=_-]+/g, REDACTED],
  [/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${REDACTED}`],
  // JSON web tokens.
  [/\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]*)?/g, REDACTED],
  // password=..., token: "...", \"secret\":\"...\", &access_token=...
  [
    /((?:secret|token|passw(?:or)?d|passphrase|api[-_]?key|private[-_]?key|access[-_]?key|credential|authorization|cookie|psk|signature|sig)s?\\?["']?\s*[:=]\s*)(\\?["'])?(?!REDACTED)[^\s"'\\,;&}]+/gi,
    `$1$2${REDACTED}`,
  ],
];

/** Text of any kind without the secrets that can be told by their form or by the word before them. */
export function redactText(text: string): string {
  return PATTERNS.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
}
