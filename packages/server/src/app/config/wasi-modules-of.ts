import type { WasiModulesFile } from '../../sources/file/wasi-module-files.ts';
import type { Config } from './config.ts';

/** The files of WASI modules that are configured, by gate. */
export function wasiModulesOf(policies: Config['policies']): readonly WasiModulesFile[] {
  const files = {
    authentication: policies.authenticationModulesFile,
    authorization: policies.authorizationModulesFile,
    admission: policies.admissionModulesFile,
  } as const;
  return (['authentication', 'authorization', 'admission'] as const).flatMap((gate) => {
    const file = files[gate];
    return file === undefined ? [] : [{ file, gate }];
  });
}
