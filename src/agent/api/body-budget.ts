// What the bodies of all requests that are being answered may be together: each within its own limit, a listener full of them would
// still be more than a machine has.

import type { CountBytes } from './body.ts';
import { tooLarge } from './failure.ts';

const MAX_BYTES = 256 * 1024 * 1024;

/** Of one listener. */
export class BodyBudget {
  readonly #maxBytes: number;
  #bytes = 0;

  constructor(maxBytes = MAX_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** For one request: `count` throws REQUEST_TOO_LARGE, `end` gives back what was counted. */
  open(): { readonly count: CountBytes; readonly end: () => void } {
    let counted = 0;
    return {
      count: (bytes) => {
        if (this.#bytes + bytes > this.#maxBytes) {
          throw tooLarge(
            'bodies of all requests',
            `${this.#maxBytes} bytes`,
            undefined,
            'try again when others are done',
          );
        }
        counted += bytes;
        this.#bytes += bytes;
      },
      end: () => {
        this.#bytes -= counted;
      },
    };
  }
}
