import { Json } from './json';

/** A container of a pod or of a pod template, and where it is. */
export class Container {
  constructor(
    readonly json: Json,
    /** For example `spec.template.spec.initContainers[0]`. */
    readonly field: string,
  ) {}

  get image(): string {
    return this.json.get('image').text();
  }
}

/**
 * The containers of every kind that has some: Pod, PodTemplate, CronJob, and all that carry `spec.template` (Deployment,
 * StatefulSet, DaemonSet, ReplicaSet, Job, …). Init and ephemeral containers too.
 */
export function containersOf(object: Json): Container[] {
  const found: Container[] = [];
  const parts = object.getAll(['spec', 'template']);
  const spec = parts[0].getAll(['template', 'jobTemplate']);
  collect(parts[0], 'spec', found);
  collect(spec[0].get('spec'), 'spec.template.spec', found);
  collect(spec[1].get('spec').get('template').get('spec'), 'spec.jobTemplate.spec.template.spec', found);
  collect(parts[1].get('spec'), 'template.spec', found);
  return found;
}

const LISTS: string[] = ['containers', 'initContainers', 'ephemeralContainers'];

function collect(spec: Json, field: string, found: Container[]): void {
  const lists = spec.getAll(LISTS);
  for (let list = 0; list < lists.length; list++) {
    const items = lists[list].items();
    for (let index = 0; index < items.length; index++) {
      found.push(new Container(items[index], `${field}.${LISTS[list]}[${index}]`));
    }
  }
}
