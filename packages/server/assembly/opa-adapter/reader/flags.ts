import { opa_json_parse } from './guest';
import { BOOLEAN_INTERNED } from './layout';

/** The module's own true and false, where it has one of each; found before anything is kept, and the same in every run. */
export let ownTrue: u32 = 0;
export let ownFalse: u32 = 0;

/** `room` is for 8 bytes. */
export function findOwnFlags(room: u32): void {
  store<u32>(room, 0x65757274);
  ownTrue = own(opa_json_parse(room, 4));
  store<u64>(room, 0x65736c6166);
  ownFalse = own(opa_json_parse(room, 5));
}

function own(value: u32): u32 {
  const isReadable = <u64>value < (<u64>memory.size()) << 16;
  return isReadable && load<u8>(value) == BOOLEAN_INTERNED ? value : 0;
}
