import type { Builtin } from './builtin.ts';

export type Family = Readonly<Record<string, Builtin>>;

/** Builtins that are loaded when the first of them is called: few policies do, and every thread would start later by them. */
export function lazyFamily(names: readonly string[], load: () => Family): Family {
  return Object.fromEntries(
    names.map((name): [string, Builtin] => [
      name,
      (args, context) => {
        const builtin = load()[name];
        if (builtin === undefined) throw new TypeError(`no builtin \`${name}\` in its family`);
        return builtin(args, context);
      },
    ]),
  );
}
