import type { z } from 'zod';
import type { Fault } from '../../kernel/fault.ts';
import type { Role } from '../access/roles.ts';
import type { FaultForm } from './responses.ts';

/** One operation of the management API: what serves it and what describes it are the same row. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** As OpenAPI writes it: `/api/v1/policies/{name}`. */
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  /** `open`: without a token. `metrics`: so where the configuration says it, else `viewer`. */
  readonly access: 'open' | 'metrics' | Role;
  readonly faults: FaultForm;
  readonly query?: z.ZodObject;
  /** Optional request headers, with their description. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Content by media type. */
  readonly body?: Content;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Statuses of faults that this operation can have, apart from those of access, 404 paths and 500. */
  readonly failures: readonly number[];
  readonly handle: (call: Call) => Promise<Response | Fault> | Response | Fault;
}

export type Content = Readonly<Record<string, z.ZodType | 'text' | 'binary'>>;

export interface Answer {
  readonly description: string;
  readonly content?: Content;
}

/** One request on its way through a route. */
export interface Call {
  readonly request: Request;
  readonly url: URL;
  /** The `{name}` of the path, or `""`. */
  readonly name: string;
  /** Name of the token; `""` on open paths. */
  readonly token: string;
}
