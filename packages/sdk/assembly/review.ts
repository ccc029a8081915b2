import { isJson, problemOffset } from './check-json';
import { get_input_len, read_input } from './env';
import { Json } from './json';

/** The request that the policy judges. What the request lacks is absent, or an empty text. */
export class Review {
  /** `CREATE`, `UPDATE`, `DELETE` or `CONNECT`. */
  readonly operation: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Json;
  readonly oldObject: Json;
  /** `settings` of the policy; absent when it has none. */
  readonly settings: Json;
  private user: Json;

  private constructor(
    input: Json,
    /** Why the input cannot be used; empty when it can. */
    readonly problem: string,
  ) {
    const parts = input.getAll([
      'operation',
      'namespace',
      'name',
      'object',
      'oldObject',
      'pluginConfig',
      'userInfo',
    ]);
    this.operation = parts[0].text();
    this.namespace = parts[1].text();
    this.name = parts[2].text();
    this.object = parts[3];
    this.oldObject = parts[4];
    this.settings = parts[5];
    this.user = parts[6];
    if (problem.length == 0 && this.operation.length == 0) this.problem = 'missing field `operation`';
  }

  /** Reads and checks the whole input. */
  static read(): Review {
    const length = get_input_len();
    // Behind the text: its end mark, and room for reading eight bytes at a time.
    const start = heap.alloc(usize(length) + 16);
    if (read_input(start, length) != length) return new Review(Json.absent(), 'the host gave no input');
    store<u64>(start + length, 0);
    if (isJson(start, start + length)) return new Review(new Json(start), '');
    return new Review(Json.absent(), 'not JSON at byte ' + problemOffset(start).toString());
  }

  /** CREATE or UPDATE: there is an object, and it may be refused or changed. */
  get isWrite(): bool {
    return this.operation == 'CREATE' || this.operation == 'UPDATE';
  }

  get username(): string {
    return this.user.get('username').text();
  }

  get groups(): string[] {
    return this.user.get('groups').texts();
  }
}
