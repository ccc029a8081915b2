import { decodeText, isText } from './decode-text';
import {
  CLOSE_LIST,
  CLOSE_OBJECT,
  closingQuote,
  COMMA,
  OPEN_LIST,
  OPEN_OBJECT,
  QUOTE,
  skipSpace,
  skipValue,
} from './scan';

export enum Kind {
  Absent,
  Null,
  Boolean,
  Number,
  Text,
  List,
  Object,
}

/**
 * A value of a JSON document, read where it lies. Nothing is decoded before it is asked for, and asking for something
 * that is not there gives an absent value, so that `a.get('b').get('c')` needs no checks in between.
 */
export class Json {
  /** Address of the first byte; 0 when absent. */
  constructor(private at: usize) {}

  static absent(): Json {
    return new Json(0);
  }

  get kind(): Kind {
    if (this.at == 0) return Kind.Absent;
    const first = load<u8>(this.at);
    if (first == OPEN_OBJECT) return Kind.Object;
    if (first == OPEN_LIST) return Kind.List;
    if (first == QUOTE) return Kind.Text;
    if (first == 0x6e) return Kind.Null;
    return first == 0x74 || first == 0x66 ? Kind.Boolean : Kind.Number;
  }

  /** There, and not null. */
  get exists(): bool {
    return this.kind > Kind.Null;
  }

  /** A member of an object. Of two equal keys the last counts, as in JavaScript. */
  get(key: string): Json {
    let found: usize = 0;
    for (let member = this.firstMember(); member != 0; member = nextMember(member)) {
      if (isText(member + 1, closingQuote(member), key)) found = valueOf(member);
    }
    return new Json(found);
  }

  /** Several members in one pass, in the order of `keys`. */
  getAll(keys: string[]): Json[] {
    const found: Json[] = [];
    for (let index = 0; index < keys.length; index++) found.push(Json.absent());
    for (let member = this.firstMember(); member != 0; member = nextMember(member)) {
      const end = closingQuote(member);
      for (let index = 0; index < keys.length; index++) {
        if (isText(member + 1, end, keys[index])) found[index] = new Json(valueOf(member));
      }
    }
    return found;
  }

  has(key: string): bool {
    return this.get(key).at != 0;
  }

  /** The keys of an object, in order; none for another kind. */
  keys(): string[] {
    const keys: string[] = [];
    for (let member = this.firstMember(); member != 0; member = nextMember(member)) {
      keys.push(decodeText(member + 1, closingQuote(member)));
    }
    return keys;
  }

  /** The items of a list; none for another kind. */
  items(): Json[] {
    const items: Json[] = [];
    if (this.kind != Kind.List) return items;
    let at = skipSpace(this.at + 1);
    while (load<u8>(at) != CLOSE_LIST) {
      items.push(new Json(at));
      at = skipSpace(skipValue(at));
      if (load<u8>(at) == COMMA) at = skipSpace(at + 1);
    }
    return items;
  }

  /** The texts of a list; items of another kind are left out. */
  texts(): string[] {
    const items = this.items();
    const texts: string[] = [];
    for (let index = 0; index < items.length; index++) {
      if (items[index].kind == Kind.Text) texts.push(items[index].text());
    }
    return texts;
  }

  text(otherwise: string = ''): string {
    return this.kind == Kind.Text ? decodeText(this.at + 1, closingQuote(this.at)) : otherwise;
  }

  isText(text: string): bool {
    return this.kind == Kind.Text && isText(this.at + 1, closingQuote(this.at), text);
  }

  boolean(otherwise: bool = false): bool {
    return this.kind == Kind.Boolean ? load<u8>(this.at) == 0x74 : otherwise;
  }

  number(otherwise: f64 = NaN): f64 {
    return this.kind == Kind.Number ? F64.parseFloat(this.source()) : otherwise;
  }

  /** The JSON text of the value, as it came. */
  source(): string {
    return this.at == 0 ? '' : String.UTF8.decodeUnsafe(this.at, skipValue(this.at) - this.at);
  }

  /** The opening quote of the first key; 0 when there is none. */
  private firstMember(): usize {
    if (this.kind != Kind.Object) return 0;
    const at = skipSpace(this.at + 1);
    return load<u8>(at) == CLOSE_OBJECT ? 0 : at;
  }
}

function valueOf(member: usize): usize {
  return skipSpace(skipSpace(closingQuote(member) + 1) + 1);
}

function nextMember(member: usize): usize {
  const at = skipSpace(skipValue(valueOf(member)));
  return load<u8>(at) == COMMA ? skipSpace(at + 1) : 0;
}
