import { isJson } from './check-json';
import { Json } from './json';
import { __host_call, __host_error, __host_error_len, __host_response, __host_response_len } from './wapc';
import { Writer } from './writer';

/** What the host of a policy of Kubewarden answered. */
export class HostAnswer {
  constructor(
    /** Absent when it did not answer. */
    readonly json: Json,
    /** Why it did not; empty when it did. */
    readonly error: string,
  ) {}

  get isGiven(): bool {
    return this.error.length == 0;
  }
}

/** Asks the host for something that the policy document grants: `kubernetes`, `list_resources_all`, and JSON text. */
export function askHost(namespace: string, operation: string, payload: string): HostAnswer {
  const names = new Writer().raw('kubewarden');
  const space = new Writer().raw(namespace);
  const what = new Writer().raw(operation);
  const document = new Writer().raw(payload);
  const isAnswered = __host_call(
    names.address,
    names.length,
    space.address,
    space.length,
    what.address,
    what.length,
    document.address,
    document.length,
  );
  if (!isAnswered) {
    const length = __host_error_len();
    const at = heap.alloc(usize(length));
    __host_error(at);
    const error = String.UTF8.decodeUnsafe(at, length);
    return new HostAnswer(Json.absent(), error.length == 0 ? 'the host did not answer' : error);
  }
  const length = __host_response_len();
  // Behind the text: its end mark, and room for reading eight bytes at a time.
  const start = heap.alloc(usize(length) + 16);
  __host_response(start);
  store<u64>(start + length, 0);
  if (!isJson(start, start + length))
    return new HostAnswer(Json.absent(), 'the answer of the host is not JSON');
  return new HostAnswer(new Json(start), '');
}
