import type { Match, PolicyMetadata, PolicyOrigin } from './policy.ts';

/** What some policies may not deny, and until when. They are still asked, and what they said is recorded. */
export interface PolicyException {
  readonly metadata: PolicyMetadata;
  readonly spec: ExceptionSpec;
  readonly origin: PolicyOrigin;
}

export interface ExceptionSpec {
  /** Names of policies, globs allowed (`*` crosses the `/` of namespaced ones). */
  readonly policies: readonly string[];
  /** The requests that are excepted; names of objects stand in its resource rules. */
  readonly match: Match;
  /** Globs of user names; empty: every user. */
  readonly users: readonly string[];
  /** Names of groups, one of which the user must be in; empty: any. */
  readonly groups: readonly string[];
  /** Milliseconds since 1970; `never` is said expressly. From then on it excepts nothing. */
  readonly expires: number | 'never';
  /** Why, for people; shown in status and reports. */
  readonly reason: string;
}
