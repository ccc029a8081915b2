import type { KeyReference, Policy } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import {
  CONFIG_MAPS,
  locationOf,
  moduleIn,
  SECRETS,
  type DataObject,
} from '../../sources/kube-data/data-object.ts';
import type { ModuleSource } from '../../sources/source.ts';

/** ConfigMaps and Secrets that were read from manifests, where a server has them from the API server. */
export interface DataShelf {
  /** PC_POLICY_DUPLICATE when there is one of this name. */
  put(data: DataObject): Fault | undefined;
  /** For `module.configMap` and `module.secret`. */
  readonly modules: readonly ModuleSource[];
}

/** `namespace`: of references that name none. */
export function createDataShelf(namespace: string): DataShelf {
  const objects = new Map<string, DataObject>();
  return {
    put(data) {
      const location = locationOf(data);
      if (objects.has(location)) {
        return new Fault(
          'PC_POLICY_DUPLICATE',
          `there is another \`${location}\`: only one of them would be applied last`,
        );
      }
      objects.set(location, data);
      return undefined;
    },
    modules: [CONFIG_MAPS, SECRETS].map(({ place, resource }) => ({
      place,
      async fetch(policy) {
        const { key, ...reference } = referenceOf(policy, place);
        const location = locationOf({ namespace, ...reference, kind: resource.kind });
        const object = objects.get(location);
        return object === undefined ? missing(location, [...objects.keys()]) : moduleIn(object, key);
      },
    })),
  };
}

function referenceOf({ spec }: Policy, place: 'configMap' | 'secret'): KeyReference {
  const reference = spec.module[place];
  if (reference === undefined) throw new TypeError(`a policy without \`module.${place}\``);
  return reference;
}

function missing(location: string, known: readonly string[]): Fault {
  const there =
    known.length === 0
      ? ''
      : `; there is ${known
          .slice(0, 10)
          .map((name) => `\`${name}\``)
          .join(', ')}`;
  return new Fault(
    'PC_MODULE_MISSING',
    `there is no manifest of \`${location}\` among the policies: name its file too${there}`,
  );
}
