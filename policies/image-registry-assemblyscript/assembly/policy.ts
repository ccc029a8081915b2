import { containersOf, run } from '@portcullis/sdk/assembly';

/** Every image has to start with one of the setting `registries`, such as `ghcr.io/acme`. */
export function validate(): i32 {
  return run((review, answer) => {
    const registries = review.settings.get('registries').texts();
    if (registries.length == 0)
      return answer.deny('setting `registries` must list what is approved', 'InvalidSettings');
    answer.allow();
    if (!review.isWrite) return;

    const containers = containersOf(review.object);
    for (let index = 0; index < containers.length; index++) {
      const container = containers[index];
      if (isApproved(container.image, registries)) continue;
      const message = `image \`${container.image}\` is not from ${registries.join(', ')}`;
      answer.error(container.field + '.image', message, 'InvalidRegistry', container.json.get('image'));
    }
  });
}

/** Whole path components only: `ghcr.io/acme` does not approve `ghcr.io/acme-evil/web`. */
function isApproved(image: string, registries: string[]): bool {
  for (let index = 0; index < registries.length; index++) {
    if (image.startsWith(registries[index] + '/')) return true;
  }
  return false;
}
