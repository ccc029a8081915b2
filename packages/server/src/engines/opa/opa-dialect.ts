import type { EngineName, JsonValue, Phase, Review, Verdict } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { stringifyExact } from '../../kernel/json/json-document.ts';
import type { InventoryLayout } from '../inventory.ts';
import { admissionVerdict } from './admission-answer.ts';
import { violationVerdict } from './violations-answer.ts';

export interface OpaSettings {
  /** JSON text that a module sees as `data`. */
  readonly data: string;
  /** Of policies that read the cluster `data` is what they see of it between these two. */
  readonly around: readonly [head: string, tail: string];
  /** The input of a review is its AdmissionRequest between these two. */
  readonly head: Uint8Array;
  readonly tail: Uint8Array;
}

/** The two shapes in which admission policies in Rego are written: what they are asked with and how they answer. */
export interface OpaDialect {
  readonly name: EngineName & InventoryLayout;
  /** What a module of it is recognised by, for people. */
  readonly expects: string;
  /** Whether it can be asked about something that is no request of an API server. */
  readonly takesRaw: boolean;
  settings(settings: JsonValue): OpaSettings | Fault;
  verdict(result: JsonValue, review: Review, phase: Phase): Verdict | Fault;
}

const END = Buffer.from('}');

/** Input `{"request": …}` with the settings as data; the answer is an AdmissionReview. */
export const OPA_DIALECT: OpaDialect = {
  name: 'opa',
  expects: 'exports `opa_eval_ctx_new`, `opa_json_dump` and `builtins`, as `opa build -t wasm` makes them',
  takesRaw: true,
  settings(settings) {
    if (settings !== null && !isJsonObject(settings)) {
      return new Fault(
        'PC_POLICY_VALUE',
        '`settings` must be an object: policies in Rego see them as `data`',
      );
    }
    // What is seen of the cluster takes the place of a setting of this name.
    const { kubernetes: _, ...others } = settings ?? {};
    const rest = stringifyExact(others).slice(1, -1);
    return {
      data: stringifyExact(settings ?? {}),
      around: [`{${rest}${rest === '' ? '' : ','}"kubernetes":`, '}'],
      head: Buffer.from('{"request":'),
      tail: END,
    };
  },
  verdict: admissionVerdict,
};

/** Input `{"parameters": …, "review": …}` with the settings as parameters; the answer is a list of violations. */
export const GATEKEEPER_DIALECT: OpaDialect = {
  name: 'gatekeeper',
  expects: 'a module for `opa`, in a policy that says `engine: gatekeeper`',
  takesRaw: false,
  settings: (settings) => ({
    data: '{}',
    around: ['{"inventory":', '}'],
    head: Buffer.from(`{"parameters":${stringifyExact(settings ?? {})},"review":`),
    tail: END,
  }),
  verdict: violationVerdict,
};
