import { isFault } from '../../../kernel/fault.ts';
import { compileRegex } from '../../../kernel/regex/compile-regex.ts';
import { BuiltinFailure } from '../builtin.ts';
import { charged, type Charge } from '../charge.ts';
import { parseAddress } from '../network.ts';
import { parseTime } from '../time-layout.ts';
import { parseUri } from '../uri.ts';
import { isMailAddress } from './mail-address.ts';

type IsOfFormat = (text: string) => boolean;

/** Whether a text has the format; of an unknown one every text. */
export function isOfFormat(format: string, text: string, charge: Charge): boolean {
  charged(charge, 640 + text.length * 16);
  return FORMATS.get(format)?.(text) ?? true;
}

const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?';
const HOSTNAME = new RegExp(`^${LABEL}(?:\\.${LABEL})*$`);
const UUID = /^[a-f0-9]{8}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{4}-[a-f0-9]{12}$/i;
const POINTER = /^(?:\/(?:[^~/]|~0|~1)*)*$/;
const RELATIVE_POINTER = /^(?:0|[1-9]\d*)(?:#|(?:\/(?:[^~/]|~0|~1)*)*)$/;

const isDate = atTime('2006-01-02');
const isTime = atTime('15:04:05', '15:04:05Z07:00');
const isUriReference: IsOfFormat = (text) => !text.includes('\\') && parseUri(text) !== undefined;
const isUri: IsOfFormat = (text) => isUriReference(text) && parseUri(text)?.get('scheme') !== undefined;

/** As gojsonschema knows them, which takes some texts that the standard does not. */
const FORMATS: ReadonlyMap<string, IsOfFormat> = new Map<string, IsOfFormat>([
  ['date', isDate],
  ['time', isTime],
  ['date-time', (text) => isTime(text) || isDate(text) || atTime('RFC3339')(text)],
  ['hostname', (text) => text.length < 256 && HOSTNAME.test(text)],
  ['email', isMailAddress],
  ['idn-email', isMailAddress],
  ['ipv4', (text) => text.includes('.') && parseAddress(text) !== undefined],
  ['ipv6', (text) => text.includes(':') && parseAddress(text) !== undefined],
  ['uri', isUri],
  ['uri-reference', isUriReference],
  ['iri', isUri],
  ['iri-reference', isUriReference],
  ['uri-template', (text) => isUriReference(text) && hasClosedBraces(pathOf(text))],
  ['uuid', (text) => UUID.test(text)],
  ['regex', (text) => !isFault(compileRegex(text))],
  ['json-pointer', (text) => POINTER.test(text)],
  ['relative-json-pointer', (text) => RELATIVE_POINTER.test(text)],
]);

function atTime(...layouts: readonly string[]): IsOfFormat {
  return (text) =>
    layouts.some((layout) => {
      try {
        parseTime(text, layout);
        return true;
      } catch (error) {
        if (error instanceof BuiltinFailure) return false;
        throw error;
      }
    });
}

function pathOf(text: string): string {
  const path = parseUri(text)?.get('path');
  return typeof path === 'string' ? path : '';
}

/** What is opened is closed: braces inside of braces count for nothing. */
function hasClosedBraces(text: string): boolean {
  return text.lastIndexOf('{') <= text.lastIndexOf('}');
}
