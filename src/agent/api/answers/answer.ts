// What a schema of an answer is held to: the type of what the agent answers. So there is one thing that says what comes, and
// the compiler sees to it that the document of openapi.ts says the same.
import { z } from 'zod';

/** The schema, where what it lets pass is exactly a T; a field that T may lack is to be in it too. */
export function answerOf<T>() {
  return <S extends z.ZodType<T>>(
    schema: [T] extends [z.output<S>] ? ([keyof T] extends [keyof z.output<S>] ? S : never) : never,
  ): z.ZodType<T> => schema;
}

/** The items are not changed by whoever reads them, which the JSON schema has no word for. */
export function listOf<S extends z.ZodType>(item: S): z.ZodType<readonly z.output<S>[]> {
  return z.array(item);
}

export const count = z.int().nonnegative();
export const text = z.string();
/** ISO 8601. */
export const time = z.string();
export const codedErrors = listOf(z.object({ code: text, message: text }));
