/** A promise with its handles. */
export interface Later<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

export function later<T>(): Later<T> {
  return Promise.withResolvers<T>();
}
