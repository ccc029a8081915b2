import { dashboardFile } from '../deploy/dashboard.ts';
import { DEFINITION_FILES } from '../deploy/definition-files.ts';
import { manifestFile } from '../deploy/manifest-file.ts';
import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import type { NotHere } from './not-here.ts';
import { policyDocumentPage } from './policy-document-page.ts';

/** Generated references and manifests, by path from the root of the repository. */
export const PAGES: Readonly<Record<string, () => string | Promise<string | NotHere>>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/policy-document.md': policyDocumentPage,
  'docs/reference/cli.md': cliPage,
  'docs/reference/metrics.md': metricsPage,
  ...DEFINITION_FILES,
  'deploy/dashboards/portcullis.json': dashboardFile,
  // The chart can read only what lies in it.
  'deploy/chart/files/dashboard.json': dashboardFile,
  // After the definitions, which it contains.
  'deploy/manifests/portcullis.yaml': manifestFile,
};
