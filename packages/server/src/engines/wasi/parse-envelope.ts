import { isFault, type Fault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { AnswerReader, reported, unreadable } from './answer-reader.ts';

/** The response of an envelope `{"response": {…}, "error": "…"}`; PC_WASI_ERROR for its error, PC_WASI_OUTPUT when it is none. */
export function parseEnvelope(bytes: Uint8Array): AnswerReader | Fault {
  if (bytes.length === 0) return unreadable('it wrote nothing to standard output');
  const value = parseJson(bytes);
  if (isFault(value)) return unreadable(`its output is not JSON: ${value.message}`);
  if (!isJsonObject(value)) return unreadable('its output is not a JSON object');
  const envelope = new AnswerReader(value);
  const error = envelope.text('error');
  if (error) return reported(`envelope error: '${error}'`);
  const response = envelope.object('response');
  if (envelope.problem !== undefined) return envelope.problem;
  return response ?? unreadable('its output has neither `response` nor `error`');
}
