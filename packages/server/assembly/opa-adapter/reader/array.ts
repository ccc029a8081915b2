import { block } from './blocks';
import { ARRAY_CAPACITY, ARRAY_ELEMENTS, ARRAY_LENGTH, FIRST_CAPACITY } from './layout';
import { copy } from './pay';

/** Makes room for another element. */
export function growArray(array: u32): void {
  const length = load<u32>(array, ARRAY_LENGTH);
  const capacity = length == 0 ? FIRST_CAPACITY : length << 1;
  const elements = block(capacity << 3);
  copy(elements, load<u32>(array, ARRAY_ELEMENTS), length << 3);
  store<u32>(array, elements, ARRAY_ELEMENTS);
  store<u32>(array, capacity, ARRAY_CAPACITY);
}
