import {
  containersOf,
  guestCall,
  Json,
  ValidationRequest,
  ValidationResponse,
} from '@portcullis/sdk/assembly';
import { Patterns } from './patterns';

/** Every image has to match one of the setting `allowed` and none of `denied`. */
export function __guest_call(operationLength: i32, payloadLength: i32): bool {
  return guestCall(operationLength, payloadLength, validate, check);
}

/** Made in the first call: a host asks one instance again and again, and always with the same settings. */
let known: Patterns | null = null;
let forbidden: Patterns | null = null;

function validate(request: ValidationRequest, response: ValidationResponse): void {
  if (known == null) known = new Patterns(request.settings.get('allowed').texts());
  if (forbidden == null) forbidden = new Patterns(request.settings.get('denied').texts());
  response.accept();
  const containers = containersOf(request.object);
  for (let index = 0; index < containers.length; index++) {
    const image = containers[index].image;
    const field = containers[index].field + '.image';
    if (forbidden!.matches(image)) response.reject(`${field}: \`${image}\` is denied`, 422);
    else if (!known!.matches(image)) response.reject(`${field}: \`${image}\` is not allowed`, 422);
  }
}

function check(settings: Json): string {
  const allowed = settings.get('allowed').texts();
  if (allowed.length == 0) return '`allowed` must list patterns, such as `ghcr.io/acme/**`';
  if (new Patterns(allowed).isTooLarge) return '`allowed` is too large';
  if (new Patterns(settings.get('denied').texts()).isTooLarge) return '`denied` is too large';
  return '';
}
