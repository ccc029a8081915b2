export { Answer } from './answer';
export { Container, containersOf } from './containers';
export { log } from './log';
export { Json, Kind } from './json';
export { Patch, toPointer } from './patch';
export { Review } from './review';
export { run } from './run';
