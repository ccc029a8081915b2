export type * from './json.ts';
export type * from './policy.ts';
export type * from './exception.ts';
export type * from './review.ts';
export type * from './verdict.ts';
export type * from './decision.ts';
export type * from './status.ts';
