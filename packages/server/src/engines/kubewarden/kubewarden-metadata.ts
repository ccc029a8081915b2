import type { JsonObject, JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonArray, isJsonObject } from '../../kernel/json/json-equal.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import { readCustomSection } from '../../wasm/decode/read-custom-section.ts';
import { METADATA_SECTION } from '../execution-mode.ts';

/** What a module says of itself that decides how it is run. */
export interface KubewardenMetadata {
  /** `v1`, or what else stands there; absent in modules without the section. */
  readonly protocolVersion?: string;
  /** `kubewarden-wapc`, `wasi`, `opa`, `gatekeeper`; absent: the first, unless its exports say otherwise. */
  readonly executionMode?: string;
  readonly policyType: 'kubernetes' | 'raw';
  /** What it would like to be granted; for people. */
  readonly hostCapabilities: readonly string[];
}

const NONE: KubewardenMetadata = { policyType: 'kubernetes', hostCapabilities: [] };

/** Faults: PC_MODULE_MALFORMED. */
export function readMetadata(bytes: Uint8Array): KubewardenMetadata | Fault {
  const section = readCustomSection(bytes, METADATA_SECTION);
  if (isFault(section)) return section;
  if (section === undefined) return NONE;
  const metadata = parseJson(section);
  if (isFault(metadata)) return unusable(metadata.message);
  if (!isJsonObject(metadata)) return unusable('it must hold a JSON object');
  const protocolVersion = text(metadata, 'protocolVersion');
  if (isFault(protocolVersion)) return protocolVersion;
  const executionMode = text(metadata, 'executionMode');
  if (isFault(executionMode)) return executionMode;
  const policyType = text(metadata, 'policyType') ?? 'kubernetes';
  if (isFault(policyType)) return policyType;
  if (policyType !== 'kubernetes' && policyType !== 'raw') {
    return unusable(`\`policyType\` must be \`kubernetes\` or \`raw\`, it is \`${policyType}\``);
  }
  return {
    ...(protocolVersion === undefined ? {} : { protocolVersion }),
    ...(executionMode === undefined ? {} : { executionMode }),
    policyType,
    hostCapabilities: texts(metadata['hostCapabilities']),
  };
}

function text(metadata: JsonObject, key: string): string | undefined | Fault {
  const value = metadata[key];
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : unusable(`\`${key}\` must be a string`);
}

function texts(value: JsonValue | undefined): readonly string[] {
  return isJsonArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function unusable(why: string): Fault {
  return new Fault('PC_MODULE_MALFORMED', `the section \`${METADATA_SECTION}\` cannot be used: ${why}`);
}
