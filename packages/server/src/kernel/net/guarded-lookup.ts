import { lookup as dnsLookup } from 'node:dns';
import type { LookupFunction } from 'node:net';

/** A name that leads to an address that is not to be connected to. */
export class ForbiddenAddressError extends Error {}

/** For `node:http` and `node:https`: checks every answer of the resolver, so that the address that is connected to was checked. */
export function guardedLookup(isForbidden: (address: string) => boolean): LookupFunction {
  return (hostname, options, callback) => {
    dnsLookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) {
        callback(error, []);
      } else if (addresses.some(({ address }) => isForbidden(address))) {
        callback(new ForbiddenAddressError(`\`${hostname}\` has an address that is not allowed`), []);
      } else if (options.all) {
        callback(null, addresses);
      } else {
        const [first] = addresses;
        callback(null, first?.address ?? '', first?.family);
      }
    });
  };
}
