import { Answer, Json, Kind, Review, run } from '@portcullis/sdk/assembly';

/** Adds the labels and annotations of the settings where the object lacks them. What is there stays as it is. */
export function validate(): i32 {
  return run((review: Review, answer: Answer): void => {
    const mistake = findMistake(review.settings);
    if (mistake.length > 0) return answer.deny(mistake, 'InvalidSettings');
    answer.allow();
    if (!review.isWrite) return;
    addMissing(review, answer, 'labels');
    addMissing(review, answer, 'annotations');
  });
}

function addMissing(review: Review, answer: Answer, name: string): void {
  const wanted = review.settings.get(name);
  const keys = wanted.keys();
  const there = review.object.get('metadata').get(name);
  if (keys.length > 0 && there.exists && there.kind != Kind.Object) {
    return answer.error('metadata.' + name, name + ' must be an object', 'InvalidValue', there);
  }
  for (let index = 0; index < keys.length; index++) {
    answer.patch.addMissing(review.object, ['metadata', name, keys[index]], wanted.get(keys[index]).text());
  }
}

function findMistake(settings: Json): string {
  if (!settings.exists) return '';
  if (settings.kind != Kind.Object) return 'the settings must be an object with `labels` and `annotations`';
  const names = settings.keys();
  for (let index = 0; index < names.length; index++) {
    const name = names[index];
    if (name != 'labels' && name != 'annotations') {
      return `unknown setting \`${name}\`; there are \`labels\` and \`annotations\``;
    }
    const values = settings.get(name);
    if (values.kind != Kind.Object) return `setting \`${name}\` must be an object of texts`;
    const keys = values.keys();
    for (let key = 0; key < keys.length; key++) {
      if (values.get(keys[key]).kind != Kind.Text) return `setting \`${name}.${keys[key]}\` must be a text`;
    }
  }
  return '';
}
