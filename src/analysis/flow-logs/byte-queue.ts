// Bytes that arrive in pieces and are taken in the lengths a file format asks for. Holds only what nobody took yet.

export class ByteQueue {
  #pieces: Uint8Array[] = [];
  #length = 0;
  #position = 0;
  #skip = 0;

  /** Bytes taken or skipped so far: where in the file the next one is. */
  get position(): number {
    return this.#position;
  }

  /** Bytes waiting. */
  get length(): number {
    return this.#length;
  }

  push(piece: Uint8Array): void {
    const skipped = Math.min(this.#skip, piece.length);
    this.#skip -= skipped;
    this.#position += skipped;
    if (skipped === piece.length) return;
    this.#pieces.push(piece.subarray(skipped));
    this.#length += piece.length - skipped;
  }

  /** The next bytes in one piece, without taking them; undefined = they have not all come. */
  peek(count: number): Uint8Array | undefined {
    if (count > this.#length) return undefined;
    let [first] = this.#pieces;
    if (first === undefined) return new Uint8Array(0);
    if (first.length < count) {
      first = concat(this.#pieces, this.#length);
      this.#pieces = [first];
    }
    return first.subarray(0, count);
  }

  /** The next bytes in one piece; undefined = they have not all come, and none is taken. */
  take(count: number): Uint8Array | undefined {
    const bytes = this.peek(count);
    if (bytes !== undefined) this.skip(count);
    return bytes;
  }

  /** Drops the next bytes, those that are still to come too. */
  skip(count: number): void {
    let left = count;
    for (let [first] = this.#pieces; first !== undefined && left > 0; [first] = this.#pieces) {
      const dropped = Math.min(left, first.length);
      if (dropped === first.length) this.#pieces.shift();
      else this.#pieces[0] = first.subarray(dropped);
      left -= dropped;
    }
    this.#length -= count - left;
    this.#position += count - left;
    this.#skip += left;
  }
}

function concat(pieces: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
