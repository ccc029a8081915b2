import type { ModuleReference } from '@portcullis/contract';
import { Fault } from '../../kernel/fault.ts';

const SCHEME = /^([a-z][a-z0-9+.-]*):\/\//i;

/** What a `module` of a `policies.yml` names; without a scheme it is in a registry. PC_POLICY_VALUE, worded to follow the key. */
export function parseModuleAddress(text: string): ModuleReference | Fault {
  const address = text.trim();
  const scheme = SCHEME.exec(address)?.[1]?.toLowerCase();
  const rest = scheme === undefined ? address : address.slice(scheme.length + '://'.length);
  if (rest === '') return refuse('must not be empty');
  switch (scheme) {
    case undefined:
    case 'registry':
      return { oci: rest };
    case 'http':
    case 'https':
      return webAddress(address);
    case 'file':
      return fileAddress(rest);
    default:
      return refuse(`has the scheme \`${scheme}\`; known: \`registry\`, \`https\`, \`http\`, \`file\``);
  }
}

function webAddress(address: string): ModuleReference | Fault {
  const url = URL.parse(address);
  if (url === null || url.hostname === '') return refuse('is no URL');
  // A password in a document would end up in every log that names the place.
  if (url.username !== '' || url.password !== '') return refuse('must not hold a user name or password');
  return { url: address };
}

function fileAddress(path: string): ModuleReference | Fault {
  try {
    const file = decodeURIComponent(path);
    return file.includes('\0') ? refuse('holds a NUL character') : { file };
  } catch {
    return refuse('has a `%` that encodes nothing');
  }
}

function refuse(what: string): Fault {
  return new Fault('PC_POLICY_VALUE', what);
}
