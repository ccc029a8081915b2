/** What the adapter calls; see its adapter.wat. */
export { isAlike } from './is-alike';
export { read } from './read';
