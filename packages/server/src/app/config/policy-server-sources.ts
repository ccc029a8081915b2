import { resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { Fault, isFault } from '../../kernel/fault.ts';

/** A `sources.yml` of Kubewarden's policy-server, in our words. */
export interface PolicyServerSources {
  /** Registries without TLS. */
  readonly plainHttp: readonly string[];
  /** PEM of all authorities; empty: none. */
  readonly ca: string;
  readonly warnings: readonly string[];
}

const authority = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('Path'), path: z.string().min(1) }),
  z.strictObject({ type: z.literal('Data'), data: z.string().min(1) }),
]);

const sourcesFile = z.strictObject({
  insecure_sources: z.array(z.string().min(1)).nullish(),
  source_authorities: z.record(z.string(), z.array(authority)).nullish(),
  proxies: z.unknown().optional(),
});

type SourcesFile = z.infer<typeof sourcesFile>;

/**
 * Reads a `sources.yml`; `readText` reads the files of authorities, whose relative paths start from `base`. `where` says who named
 * it. PC_CONFIG_VALUE.
 */
export async function readPolicyServerSources(
  file: string,
  where: string,
  { base, readText }: { readonly base: string; readonly readText: (path: string) => Promise<string> },
): Promise<PolicyServerSources | Fault> {
  const path = resolve(base, file);
  const text = await readOr(`${where}: cannot read \`${file}\``, () => readText(path));
  if (isFault(text)) return text;
  const parsed = parseSources(text, `${where}: \`${file}\``);
  if (isFault(parsed)) return parsed;
  const { insecure_sources: insecure, source_authorities: authorities, proxies } = parsed;
  const pems: string[] = [];
  for (const [host, entries] of Object.entries(authorities ?? {})) {
    for (const entry of entries) {
      const pem =
        entry.type === 'Data'
          ? entry.data
          : await readOr(`${where}: cannot read the authority of \`${host}\`, \`${entry.path}\``, () =>
              readText(resolve(base, entry.path)),
            );
      if (isFault(pem)) return pem;
      pems.push(pem.trim());
    }
  }
  const plainHttp = (insecure ?? []).filter((host) => authorities?.[host] === undefined);
  return { plainHttp, ca: [...new Set(pems)].join('\n'), warnings: warningsOf(plainHttp, proxies, where) };
}

function parseSources(text: string, shown: string): SourcesFile | Fault {
  let value: unknown;
  try {
    value = parse(text) ?? {};
  } catch (error) {
    return unusable(`${shown}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = sourcesFile.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  return unusable(`${shown}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'it cannot be used'}`);
}

function warningsOf(plainHttp: readonly string[], proxies: unknown, where: string): readonly string[] {
  const warnings: string[] = [];
  if (plainHttp.length > 0) {
    const hosts = plainHttp.map((host) => `\`${host}\``).join(', ');
    warnings.push(
      `${where}: ${hosts}: spoken to without TLS; no certificate goes unchecked, so one that has TLS needs its authority in \`source_authorities\``,
    );
  }
  if (proxies !== undefined && proxies !== null)
    warnings.push(`${where}: \`proxies\`: they are not used; name a mirror in \`sources.oci.mirrors\``);
  return warnings;
}

async function readOr(what: string, read: () => Promise<string>): Promise<string | Fault> {
  try {
    return await read();
  } catch (error) {
    return unusable(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function unusable(message: string): Fault {
  return new Fault('PC_CONFIG_VALUE', message);
}
