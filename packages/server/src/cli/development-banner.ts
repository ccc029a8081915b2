import { relative } from 'node:path';
import type { RunningServer } from '../app/start-server.ts';
import type { CommandIo } from './command-io.ts';

/** What a newcomer needs to try the server, for standard output. */
export function developmentBanner({ addresses, development }: RunningServer, io: CommandIo): string {
  const { gates, management } = addresses;
  const heading = (text: string): string => io.paint('bold', text);
  const token = development?.token;
  const certificate = relative('', development?.certFile ?? '');
  const lines = [
    heading('Portcullis runs for development: on this machine only, with a self-signed certificate.'),
    '',
    `  gates       ${gates}/admission/validate  and  /admission/mutate`,
    `  management  ${management}/api/v1/policies`,
    `  token       ${token ?? 'as configured'}`,
    `  certificate ${certificate}`,
    '',
    heading('A pod from a registry that is not approved is denied:'),
    `  ${curl(gates, certificate, 'quay.io/acme/app:1')}`,
    '',
    heading('One from an approved registry is admitted:'),
    `  ${curl(gates, certificate, 'registry.k8s.io/pause:3.10')}`,
    ...(token === undefined
      ? []
      : [
          '',
          heading('What is loaded:'),
          `  curl -sS -H 'authorization: Bearer ${token}' ${management}/api/v1/policies`,
        ]),
  ];
  return `${lines.join('\n')}\n\n`;
}

function curl(gates: string, certificate: string, image: string): string {
  const path = `${gates}/admission/validate`;
  return `curl -sS --cacert ${certificate} -H 'content-type: application/json' -d '${JSON.stringify(review(image))}' ${path}`;
}

/** As small as an AdmissionReview can be. */
function review(image: string): object {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'try-1',
      kind: { group: '', version: 'v1', kind: 'Pod' },
      resource: { group: '', version: 'v1', resource: 'pods' },
      name: 'try',
      namespace: 'default',
      operation: 'CREATE',
      userInfo: { username: 'you' },
      object: {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'try' },
        spec: { containers: [{ name: 'app', image }] },
      },
    },
  };
}
