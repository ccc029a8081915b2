import { Fault } from '../kernel/fault.ts';
import { isContentDigest } from './content-digest.ts';

/** What is meant, in full: Docker Hub and its `library/` are written out, a missing tag is `latest`. */
export interface OciReference {
  /** Host, with a port when one is named: `docker.io`, `registry.example:5000`. */
  readonly registry: string;
  readonly repository: string;
  /** Absent when only a digest is named. */
  readonly tag?: string;
  /** `sha256:…` or `sha512:…`. It decides when there is a tag too. */
  readonly digest?: string;
}

const HUB = 'docker.io';
const MAX_REPOSITORY = 255;
const LABEL = '[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?';
const REGISTRY = new RegExp(`^(?:${LABEL}(?:\\.${LABEL})*|\\[[a-fA-F0-9:]+\\])(?::[0-9]{1,5})?$`);
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const REPOSITORY = new RegExp(`^${COMPONENT}(?:/${COMPONENT})*$`);
/** What docker takes for the number of an image. */
const BARE_DIGEST = /^[0-9a-f]{64}$/;
const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
/** Longer ones are not looked at. */
const MAX_TEXT = 1024;

/** Reads `[registry/]repository[:tag][@digest]` by the rules of docker: distribution/reference, with digests of two kinds only. */
export function parseReference(text: string): OciReference | Fault {
  const parts = splitReference(text);
  const problem = problemOf(text, parts);
  if (problem !== undefined) {
    return new Fault('PC_OCI_REFERENCE', `\`${text.slice(0, MAX_TEXT)}\` is not a reference: ${problem}`);
  }
  const { registry, path, tag, digest } = parts;
  const repository = registry === HUB && !path.includes('/') ? `library/${path}` : path;
  if (digest === undefined) return { registry, repository, tag: tag ?? 'latest' };
  return { registry, repository, ...(tag === undefined ? {} : { tag }), digest };
}

interface Parts {
  readonly registry: string;
  readonly path: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

function splitReference(text: string): Parts {
  const at = text.indexOf('@');
  const name = at < 0 ? text : text.slice(0, at);
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const { registry, rest } = splitRegistry(name);
  const colon = rest.indexOf(':');
  if (colon < 0) return { registry, path: rest, tag: undefined, digest };
  return { registry, path: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

function problemOf(text: string, { registry, path, tag, digest }: Parts): string | undefined {
  if (text.length > MAX_TEXT) return `it is longer than ${MAX_TEXT} characters`;
  if (digest !== undefined && !isContentDigest(digest)) {
    return 'after `@` stands `sha256:` and 64 hex digits, lower-case';
  }
  // The pattern lets addresses and ports through that are none.
  if (!REGISTRY.test(registry) || !URL.canParse(`https://${registry}`)) {
    return `\`${registry}\` is not the name of a registry`;
  }
  if (tag !== undefined && !TAG.test(tag)) return `\`${tag}\` is not a tag`;
  if (!REPOSITORY.test(path) || path.length > MAX_REPOSITORY) {
    return `\`${path}\` is not the path of a repository, which is lower-case`;
  }
  return BARE_DIGEST.test(text) ? 'it is a bare digest' : undefined;
}

/** As {@link parseReference}; `registry://` and `oci://` may stand before it, as other tools write references of policies. */
export function parseArtifactReference(text: string): OciReference | Fault {
  return parseReference(text.replace(/^(?:registry|oci):\/\//, ''));
}

/** The text that {@link parseReference} reads as the same reference. */
export function formatReference({ registry, repository, tag, digest }: OciReference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`;
}

/** The same repository, and exactly this content of it. */
export function pinned({ registry, repository }: OciReference, digest: string): OciReference {
  return { registry, repository, digest };
}

/** What is asked for at `/manifests/`. */
export function selectorOf({ tag, digest }: OciReference): string {
  return digest ?? tag ?? 'latest';
}

function splitRegistry(name: string): { registry: string; rest: string } {
  const slash = name.indexOf('/');
  const first = name.slice(0, Math.max(slash, 0));
  const isRegistry =
    slash >= 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (!isRegistry) return { registry: HUB, rest: name };
  return { registry: first === 'index.docker.io' ? HUB : first, rest: name.slice(slash + 1) };
}
