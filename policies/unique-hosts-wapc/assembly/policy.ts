import { askHost, guestCall, Json, ValidationRequest, ValidationResponse } from '@portcullis/sdk/assembly';

const INGRESSES =
  '{"api_version":"networking.k8s.io/v1","kind":"Ingress","field_masks":["metadata.name","metadata.namespace","spec.rules.host"]}';

/** A host belongs to one Ingress of the cluster. */
export function __guest_call(operationLength: i32, payloadLength: i32): bool {
  return guestCall(operationLength, payloadLength, validate, check);
}

function validate(request: ValidationRequest, response: ValidationResponse): void {
  const answer = askHost('kubernetes', 'list_resources_all', INGRESSES);
  // Who cannot see the others cannot say that nobody has the host.
  if (!answer.isGiven) {
    response.reject('the Ingresses of the cluster are not known: ' + answer.error, 500);
    return;
  }
  response.accept();
  const wanted = hostsOf(request.object);
  const others = answer.json.get('items').items();
  for (let index = 0; index < others.length; index++) {
    const metadata = others[index].get('metadata');
    const name = metadata.get('name').text();
    const namespace = metadata.get('namespace').text();
    if (name == request.name && namespace == request.namespace) continue;
    const taken = hostsOf(others[index]);
    for (let at = 0; at < taken.length; at++) {
      if (wanted.includes(taken[at])) {
        response.reject(`the host \`${taken[at]}\` belongs to the Ingress ${namespace}/${name}`, 422);
      }
    }
  }
}

function hostsOf(ingress: Json): string[] {
  const hosts: string[] = [];
  const rules = ingress.get('spec').get('rules').items();
  for (let index = 0; index < rules.length; index++) {
    const host = rules[index].get('host').text();
    if (host.length > 0) hosts.push(host);
  }
  return hosts;
}

function check(_settings: Json): string {
  return '';
}
