import { isFault, type Fault } from '../../kernel/fault.ts';
import type { KubeClient } from '../kube-client.ts';
import type { KubeObject } from '../kube-object.ts';
import type { ListOptions } from '../kube-request.ts';
import type { KubeTarget } from '../resource.ts';

export interface Listing {
  readonly client: Pick<KubeClient, 'eachItem'>;
  readonly target: KubeTarget;
  readonly options: ListOptions;
  /** `0` at first, later the last version seen: the server may answer from its cache. Undefined: the newest. */
  readonly from: string | undefined;
  /** What came so far is void; called before the first item, too. */
  readonly begin: () => void;
  readonly onItem: (object: KubeObject) => void;
}

const PAGE = 500;

/** All objects, as client-go lists them (tools/pager/pager.go). The resource version of the list. */
export async function listAll(listing: Listing): Promise<string | Fault> {
  const { from } = listing;
  if (from === undefined) return listPages(listing, { limit: PAGE });
  // A server without a cache for this kind pages at version 0, too.
  const listed = await listPages(listing, {
    resourceVersion: from,
    ...(from === '0' ? { limit: PAGE } : {}),
  });
  return isExpired(listed) ? listPages(listing, { limit: PAGE }) : listed;
}

async function listPages(
  { client, target, options, begin, onItem }: Listing,
  first: ListOptions,
): Promise<string | Fault> {
  const page = (query: ListOptions) =>
    client.eachItem(target, { ...options, ...query }, (object) => {
      onItem(object);
      return undefined;
    });
  begin();
  let end = await page(first);
  while (!isFault(end) && end.continue !== undefined) {
    end = await page({ limit: PAGE, continue: end.continue });
    // The pages took longer than the server keeps the version: one answer with everything, however long.
    if (isExpired(end)) {
      begin();
      end = await page({});
    }
  }
  return isFault(end) ? end : end.resourceVersion;
}

function isExpired(answer: unknown): boolean {
  return isFault(answer) && answer.code === 'PC_KUBE_GONE';
}
