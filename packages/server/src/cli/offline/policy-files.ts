import { stat } from 'node:fs/promises';
import { Option } from 'commander';
import { createFileDocumentSource, type ParseDocuments } from '../../sources/file/file-document-source.ts';
import type { KubewardenReading } from '../../policy/kubewarden/kubewarden-policy.ts';
import type { WasiModulesFile } from '../../sources/file/wasi-module-files.ts';
import type { DocumentSource, ModuleSource } from '../../sources/source.ts';
import { createDataShelf } from './data-shelf.ts';
import { openOfflineModules } from './oci-modules.ts';
import { parseManifests } from './parse-manifests.ts';

/** Policies, and the modules that stand beside them in manifests. */
export interface PolicyFiles {
  readonly sources: readonly DocumentSource[];
  readonly modules: readonly ModuleSource[];
}

export interface PolicyFilesOptions {
  /** Files in the form of `plugins.yaml`. */
  readonly pluginsFiles?: readonly string[];
  /** In the form of `policies.yml`. */
  readonly kubewardenFiles?: readonly string[];
  /** Configuration files of WASI modules. */
  readonly wasiModules?: readonly WasiModulesFile[];
  /** The namespace that the server would run in; default: the one of the chart. */
  readonly namespace?: string;
}

const OWN_NAMESPACE = 'portcullis';
/** As of a policy-server that is told nothing. */
export const OFFLINE_READING: KubewardenReading = { reach: 'match', timeoutMs: 2000, monitorWarnings: false };

export function ownNamespaceOption(): Option {
  return new Option(
    '--own-namespace <name>',
    'namespace of the server: of manifests, and of references to modules, that name none',
  ).default(OWN_NAMESPACE);
}

/** Policies named on a command line: files with policies and manifests, and folders of them. */
export async function openPolicyFiles(
  paths: readonly string[],
  options: PolicyFilesOptions = {},
): Promise<PolicyFiles> {
  const { pluginsFiles = [], kubewardenFiles = [], wasiModules = [], namespace = OWN_NAMESPACE } = options;
  const directories: string[] = [];
  const files: string[] = [];
  for (const path of paths) {
    const info = await stat(path).catch(() => undefined);
    (info?.isDirectory() ? directories : files).push(path);
  }
  const shelf = createDataShelf(namespace);
  const parse: ParseDocuments = (text, origin) => parseManifests(text, origin, { shelf, namespace });
  return {
    sources: [
      createFileDocumentSource({
        directories,
        files,
        pluginsFiles,
        wasiModules,
        kubewarden: { files: kubewardenFiles, reading: OFFLINE_READING },
        parse,
        checkInterval: 0,
      }),
    ],
    modules: [...shelf.modules, await openOfflineModules()],
  };
}
