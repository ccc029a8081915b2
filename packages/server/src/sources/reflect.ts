import type { Reflector, ReflectorOptions } from '../kube/reflector/reflector-types.ts';

/** Opens a copy of a collection of the API server; `app` knows which server. Not started yet. */
export type Reflect = <T>(options: Omit<ReflectorOptions<T>, 'client' | 'runtime'>) => Reflector<T>;
