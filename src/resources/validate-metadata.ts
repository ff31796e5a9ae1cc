// Labels and annotations of any kind: their keys, their values, how many and how much.
import type { FieldPath } from './field-path.ts';
import { isLabelValue, isQualifiedName, LABEL_KEY_EXPECTED, LABEL_VALUE_EXPECTED } from './labels.ts';
import { quoteValue, type Report } from './report.ts';
import type { Metadata } from './schemas/metadata.ts';

type Texts = Readonly<Record<string, string>>;

/** Selectors look at every label of an object; no object of a working cluster has more. */
const MAX_LABELS = 1024;
const MAX_ANNOTATION_BYTES = 256 * 1024;

export function checkMetadata({ labels, annotations }: Metadata, report: Report): void {
  checkLabels(labels, ['metadata', 'labels'], report);
  checkAnnotations(annotations, ['metadata', 'annotations'], report);
}

/** A map of labels, be it an object's own or one that it gives to others. */
export function checkLabels(labels: Texts, path: FieldPath, report: Report): void {
  const entries = Object.entries(labels);
  if (entries.length > MAX_LABELS) {
    const details = { found: `${entries.length} labels`, expected: `at most ${MAX_LABELS}` };
    report(path, 'has too many labels', { code: 'LIMIT_EXCEEDED', ...details });
    return;
  }
  for (const [key, value] of entries) {
    if (!isQualifiedName(key)) {
      report([...path, key], 'invalid label key', { found: quoteValue(key), expected: LABEL_KEY_EXPECTED });
    }
    if (isLabelValue(value)) continue;
    report([...path, key], 'invalid label value', { found: quoteValue(value), expected: LABEL_VALUE_EXPECTED });
  }
}

/** Annotations of an object or of a rule: keys like those of labels, but in any case; values without form. */
export function checkAnnotations(annotations: Texts, path: FieldPath, report: Report): void {
  let bytes = 0;
  for (const [key, value] of Object.entries(annotations)) {
    bytes += utf8Length(key) + utf8Length(value);
    if (isQualifiedName(key.toLowerCase())) continue;
    report([...path, key], 'invalid annotation key', { found: quoteValue(key), expected: LABEL_KEY_EXPECTED });
  }
  if (bytes <= MAX_ANNOTATION_BYTES) return;
  const details = { found: `${bytes} bytes`, expected: `at most ${MAX_ANNOTATION_BYTES} with keys` };
  report(path, 'total size of annotations is too large', { code: 'LIMIT_EXCEEDED', ...details });
}

function utf8Length(text: string): number {
  let bytes = text.length;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    // Each half of a surrogate pair counts for two of its four bytes.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}
