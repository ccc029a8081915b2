/** What the adapter calls; see its adapter.wat. */
export { isAlike } from './is-alike';
export { lengthOf } from './length-of';
export { read } from './read';
