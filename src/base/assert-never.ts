/** Ends an exhaustive switch: the compiler refuses a missing case, and a value from outside the types throws. */
export function assertNever(value: never): never {
  throw new TypeError(`unexpected value: ${JSON.stringify(value)}`);
}
