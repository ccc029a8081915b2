import { Json } from './json';
import { Writer } from './writer';

/** RFC 6902 operations, for policies of `phase: mutate`. */
export class Patch {
  private operations: Writer = new Writer();
  /** Objects that operations of this patch have made. */
  private made: string[] = [];

  get isEmpty(): bool {
    return this.operations.length == 0;
  }

  /** `path` is a list of keys, without escapes; `value` is JSON text. */
  add(path: string[], value: string): void {
    this.operation('add', path).raw(',"value":').raw(value).raw('}');
  }

  replace(path: string[], value: string): void {
    this.operation('replace', path).raw(',"value":').raw(value).raw('}');
  }

  remove(path: string[]): void {
    this.operation('remove', path).raw('}');
  }

  /**
   * Adds a text below `object` when nothing is there yet, and the objects on the way to it. A second run on the result
   * adds nothing.
   */
  addMissing(object: Json, path: string[], text: string): void {
    let value = object;
    for (let depth = 0; depth < path.length - 1; depth++) {
      value = value.get(path[depth]);
      if (!value.exists) this.makeObject(path.slice(0, depth + 1));
    }
    if (!value.has(path[path.length - 1])) this.add(path, new Writer().text(text).toString());
  }

  writeTo(out: Writer): void {
    out.raw('[').append(this.operations).raw(']');
  }

  private makeObject(path: string[]): void {
    const pointer = toPointer(path);
    if (this.made.includes(pointer)) return;
    this.made.push(pointer);
    this.add(path, '{}');
  }

  private operation(name: string, path: string[]): Writer {
    if (!this.isEmpty) this.operations.raw(',');
    return this.operations.raw('{"op":"').raw(name).raw('","path":').text(toPointer(path));
  }
}

/** RFC 6901: `~` and `/` inside a key are `~0` and `~1`. */
export function toPointer(path: string[]): string {
  let pointer = '';
  for (let index = 0; index < path.length; index++) {
    pointer += '/' + path[index].replaceAll('~', '~0').replaceAll('/', '~1');
  }
  return pointer;
}
