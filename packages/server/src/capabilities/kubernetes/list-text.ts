import { Fault, isFault } from '../../kernel/fault.ts';
import { apiVersionOf, type KubeResource } from '../../kube/resource.ts';
import { maskedText, type KeptObject, type NamedMask } from './kept-object.ts';
import { parseLabelSelector } from './label-selector.ts';

export interface Listing {
  readonly resource: KubeResource;
  /** Undefined: all. */
  readonly namespace: string | undefined;
  readonly labelSelector: string;
  readonly mask: NamedMask | undefined;
}

/** Characters of an answer: a guest has to take it into its own memory. */
const MAX_ANSWER = 16 * 1024 ** 2;

/** The list of the API, of what the listing selects. */
export function listText(
  items: Iterable<readonly [string, KeptObject]>,
  { resource, namespace, labelSelector, mask }: Listing,
): Uint8Array | Fault {
  const isSelected = parseLabelSelector(labelSelector);
  if (isFault(isSelected)) return isSelected;
  const texts: string[] = [];
  let length = 0;
  for (const [, object] of items) {
    if (namespace !== undefined && object.namespace !== namespace) continue;
    if (!isSelected(object.labels)) continue;
    const text = maskedText(object, mask);
    length += text.length;
    if (length > MAX_ANSWER) {
      return new Fault(
        'PC_CAPABILITY_SIZE',
        `the ${resource.plural} that were asked for are more than ${MAX_ANSWER / 1024 ** 2} MiB; name the fields that are needed in \`field_masks\``,
      );
    }
    texts.push(text);
  }
  const head = JSON.stringify({
    apiVersion: apiVersionOf(resource),
    kind: `${resource.kind}List`,
    metadata: {},
  });
  return Buffer.from(`${head.slice(0, -1)},"items":[${texts.join(',')}]}`);
}
