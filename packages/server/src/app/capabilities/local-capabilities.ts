import type { Provider } from '../../capabilities/provider.ts';
import type { CapabilityRequest } from '../../engines/host-capabilities.ts';
import type { Fault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';

/**
 * What a gate thread answers by itself: it takes a fraction of a millisecond and nothing from outside. Loaded when it is first asked
 * for: few policies do, and every thread would start later by what it imports.
 */
export function createLocalCapabilities(
  clock: Clock,
): (request: CapabilityRequest) => Promise<Uint8Array | Fault> | undefined {
  let loading: Promise<Provider> | undefined;
  return (request) => {
    if (request.capability !== 'crypto/v1/is_certificate_trusted') return undefined;
    loading ??= loadCertificateCheck(clock);
    return loading.then((check) => check(request));
  };
}

async function loadCertificateCheck(clock: Clock): Promise<Provider> {
  const { createCertificateCheck } = await import('../../capabilities/crypto/is-certificate-trusted.ts');
  return createCertificateCheck(clock);
}
