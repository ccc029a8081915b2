import { cliPage } from './cli-page.ts';
import { configurationPage } from './configuration-page.ts';
import { errorsPage } from './errors-page.ts';
import { metricsPage } from './metrics-page.ts';
import { policyDocumentPage } from './policy-document-page.ts';

/** Generated references, by path from the root of the repository. */
export const PAGES: Readonly<Record<string, () => string | Promise<string>>> = {
  'docs/reference/errors.md': errorsPage,
  'docs/reference/configuration.md': configurationPage,
  'docs/reference/policy-document.md': policyDocumentPage,
  'docs/reference/cli.md': cliPage,
  'docs/reference/metrics.md': metricsPage,
};
