import type { Review } from '@portcullis/contract';

/** Whether a request concerns a Namespace object (or a subresource of one), which is an object of the cluster. */
export function isNamespaceObject({ resource }: Review): boolean {
  return resource.resource === 'namespaces' && resource.group === '';
}

/** A Namespace object carries its own name in `namespace`, yet it is an object of the cluster. */
export function isNamespaced(review: Review): boolean {
  return review.namespace !== '' && !isNamespaceObject(review);
}
