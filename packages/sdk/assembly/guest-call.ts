import { isJson, problemOffset } from './check-json';
import { Json } from './json';
import { ValidationRequest } from './validation-request';
import { ValidationResponse } from './validation-response';
import { __guest_error, __guest_request, __guest_response } from './wapc';
import { Writer } from './writer';

/**
 * Answers one call of a host of Kubewarden; its result is the result of the exported `__guest_call`. `check` returns what is wrong
 * with settings, an empty text when nothing is.
 */
export function guestCall(
  operationLength: i32,
  payloadLength: i32,
  validate: (request: ValidationRequest, response: ValidationResponse) => void,
  check: (settings: Json) => string,
): bool {
  const operationAt = heap.alloc(usize(operationLength));
  // Behind the text: its end mark, and room for reading eight bytes at a time.
  const start = heap.alloc(usize(payloadLength) + 16);
  __guest_request(operationAt, start);
  store<u64>(start + payloadLength, 0);
  const operation = String.UTF8.decodeUnsafe(operationAt, operationLength);
  if (operation == 'protocol_version') return answer(new Writer().text('v1'));
  if (!isJson(start, start + payloadLength)) {
    return fail('not JSON at byte ' + problemOffset(start).toString());
  }
  const document = new Json(start);
  if (operation == 'validate_settings') return answer(checked(check(document)));
  if (operation != 'validate') return fail('unknown operation `' + operation + '`');
  const response = new ValidationResponse();
  validate(new ValidationRequest(document), response);
  return answer(response.write());
}

function checked(problem: string): Writer {
  if (problem.length == 0) return new Writer().raw('{"valid":true}');
  return new Writer().raw('{"valid":false,"message":').text(problem).raw('}');
}

function answer(out: Writer): bool {
  __guest_response(out.address, out.length);
  return true;
}

function fail(message: string): bool {
  const out = new Writer().raw(message);
  __guest_error(out.address, out.length);
  return false;
}
