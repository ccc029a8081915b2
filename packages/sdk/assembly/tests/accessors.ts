import { containersOf, Json, Kind, log, run, toPointer } from '../index';

/** Tells in annotations what the library reads; compiled and run by test/assembly-library.test.ts. */
export function validate(): i32 {
  return run((review, answer) => {
    const object = review.object;
    if (object.has('silent')) return;
    if (object.has('trap')) unreachable();
    answer.annotate('operation', review.operation);
    answer.annotate('request', review.namespace + '/' + review.name);
    answer.annotate('user', review.username + ' of ' + review.groups.join('+'));
    answer.annotate('keys', object.keys().join(' '));
    answer.annotate('kinds', kindsOf(object.get('kinds').items()));
    answer.annotate('number', object.get('number').number().toString());
    answer.annotate('no number', object.get('text').number(7).toString());
    answer.annotate('boolean', object.get('boolean').boolean().toString());
    answer.annotate('text', object.get('text').text());
    answer.annotate('otherwise', object.get('nothing').get('at').get('all').text('otherwise'));
    answer.annotate('is text', object.get('text').isText('a"\n😀').toString());
    answer.annotate('last', object.get('twice').text());
    answer.annotate('source', object.get('kinds').source());
    answer.annotate('pointer', toPointer(['a/b', '~', 'ü']));
    answer.annotate('containers', fieldsOf(object));
    answer.warn('warned');
    log('logged ü');
    const deny = object.get('deny');
    if (deny.exists) answer.deny(deny.text(), 'Because');
    const errors = object.get('errors').items();
    for (let index = 0; index < errors.length; index++) {
      answer.error(`errors[${index}]`, errors[index].text(), 'Bad', errors[index]);
    }
    if (object.has('replace')) answer.patch.replace(['replace'], '"new"');
    if (object.has('remove')) answer.patch.remove(['remove']);
    answer.allow('fine');
  });
}

function kindsOf(items: Json[]): string {
  let kinds = '';
  for (let index = 0; index < items.length; index++) kinds += (items[index].kind as i32).toString();
  return kinds + (Json.absent().kind == Kind.Absent ? '!' : '?');
}

function fieldsOf(object: Json): string {
  const containers = containersOf(object);
  let fields = '';
  for (let index = 0; index < containers.length; index++) {
    fields += containers[index].field + '=' + containers[index].image + ' ';
  }
  return fields;
}
