import type { RegoObject, RegoValue } from '../../values/rego-value.ts';
import { fail } from '../operands.ts';
import { membersOf, oidOf, TAG, textOfDer, type DerNode } from './der.ts';

const LISTS: Readonly<Record<string, string>> = {
  '2.5.4.6': 'Country',
  '2.5.4.10': 'Organization',
  '2.5.4.11': 'OrganizationalUnit',
  '2.5.4.7': 'Locality',
  '2.5.4.8': 'Province',
  '2.5.4.9': 'StreetAddress',
  '2.5.4.17': 'PostalCode',
};
const SINGLES: Readonly<Record<string, string>> = { '2.5.4.5': 'SerialNumber', '2.5.4.3': 'CommonName' };

/** A name as Go's pkix.Name is written in JSON. */
export function readName(node: DerNode | undefined): RegoObject {
  const name = new Map<RegoValue, RegoValue>([
    ...Object.values(LISTS).map((key): [string, RegoValue] => [key, null]),
    ...Object.values(SINGLES).map((key): [string, RegoValue] => [key, '']),
    ['Names', null],
    ['ExtraNames', null],
  ]);
  const add = (key: string, value: RegoValue): void => {
    name.set(key, [...((name.get(key) ?? []) as readonly RegoValue[]), value]);
  };
  for (const set of membersOf(node)) {
    for (const attribute of membersOf(set, TAG.set)) {
      const [type, value] = membersOf(attribute);
      if (value === undefined) return fail('x509: invalid RDNSequence');
      const [oid, text] = [oidOf(type), textOfDer(value)];
      add(
        'Names',
        new Map<RegoValue, RegoValue>([
          ['Type', oid],
          ['Value', text],
        ]),
      );
      const list = LISTS[oid.join('.')];
      if (list !== undefined) add(list, text);
      const single = SINGLES[oid.join('.')];
      if (single !== undefined) name.set(single, text);
    }
  }
  return name;
}
