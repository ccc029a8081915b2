import { isFault } from '../../kernel/fault.ts';
import type { ClusterFacts, EndpointOutcome, EndpointProbe } from './cluster-facts.ts';
import { error, ok, warning, type Finding } from './finding.ts';

const DAY_MS = 86_400_000;
/** Enough for somebody to come back from a holiday. */
const SOON_DAYS = 14;

/** Can the gate be reached as an API server would, and does it show a certificate that API servers accept? */
export function checkEndpoint({ probes, readiness, now }: ClusterFacts): Finding[] {
  const findings = probes.flatMap((probe) => probeFindings(probe, now));
  if (readiness === undefined) return findings;
  return [...findings, readinessFinding(readiness.url, readiness.status)];
}

function probeFindings({ endpoint, webhooks, outcome }: EndpointProbe, now: number): Finding[] {
  const by = webhooks.length === 0 ? '' : `, as ${webhooks.map((name) => `\`${name}\``).join(', ')} would`;
  if (isFault(outcome)) {
    return [
      error(
        'endpoint',
        `${endpoint} cannot be reached${by}: ${outcome.message}`,
        'check that the server runs, its Service has endpoints, and the network lets API servers through',
      ),
    ];
  }
  const certificate = certificateFindings(endpoint, by, outcome, now);
  const paths = pathFindings(endpoint, outcome);
  return [
    ...(paths.length === 0 ? [ok('endpoint', `${endpoint} answers`)] : paths),
    ...(certificate.length === 0
      ? [ok('certificate', `the certificate of ${endpoint} is trusted, valid until ${day(outcome.notAfter)}`)]
      : certificate),
  ];
}

function certificateFindings(
  endpoint: string,
  by: string,
  { chainProblem, hasName, name, names, notBefore, notAfter }: EndpointOutcome,
  now: number,
): Finding[] {
  const findings: Finding[] = [];
  if (now >= notAfter) {
    findings.push(
      error(
        'certificate',
        `the certificate of ${endpoint} expired on ${day(notAfter)}`,
        'renew it and write it to `serving.tls.certFile`; the server takes it without a restart',
      ),
    );
  } else if (now < notBefore) {
    findings.push(
      error(
        'certificate',
        `the certificate of ${endpoint} is valid from ${day(notBefore)} on only`,
        'check the clocks of this machine and of the issuer',
      ),
    );
  } else if (chainProblem !== undefined) {
    findings.push(
      error(
        'certificate',
        `the certificate of ${endpoint} is not trusted${by}: ${chainProblem}`,
        'register the authority that signed it (`kubernetes.registration.caFile`), and serve the whole chain',
      ),
    );
  }
  if (!hasName) {
    findings.push(
      error(
        'certificate',
        `the certificate of ${endpoint} is not for \`${name}\` but for ${names === '' ? 'no name' : names}`,
        `issue it with the subject alternative name \`${name}\``,
      ),
    );
  }
  const days = Math.floor((notAfter - now) / DAY_MS);
  if (findings.length === 0 && days < SOON_DAYS) {
    findings.push(
      warning(
        'certificate',
        `the certificate of ${endpoint} expires in ${days} day${days === 1 ? '' : 's'}, on ${day(notAfter)}`,
        'renew it now; the server takes the new file without a restart',
      ),
    );
  }
  return findings;
}

function pathFindings(endpoint: string, { paths }: EndpointOutcome): Finding[] {
  return paths.flatMap(({ path, status }) => {
    if (isFault(status)) {
      return [
        error(
          'endpoint',
          `${endpoint} does not answer on \`${path}\`: ${status.message}`,
          'see the log of the server',
        ),
      ];
    }
    if (status === 404) {
      return [
        error(
          'endpoint',
          `${endpoint} does not know the path \`${path}\``,
          'it is another server, or an older Portcullis: check the Service and the version',
        ),
      ];
    }
    return [];
  });
}

function readinessFinding(url: string, status: number | Error): Finding {
  if (status === 200) return ok('readiness', `${url} says ready`);
  const why = typeof status === 'number' ? `answers ${status}` : `cannot be asked: ${status.message}`;
  return error('readiness', `${url} ${why}`, 'open the address: it says what is not ready, and why');
}

function day(time: number): string {
  return Number.isNaN(time) ? 'an unknown day' : new Date(time).toISOString().slice(0, 10);
}
