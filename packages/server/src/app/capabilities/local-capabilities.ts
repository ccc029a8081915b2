import { createCertificateCheck } from '../../capabilities/crypto/is-certificate-trusted.ts';
import type { CapabilityRequest } from '../../engines/host-capabilities.ts';
import type { Fault } from '../../kernel/fault.ts';
import type { Clock } from '../../kernel/ports.ts';

/** What a gate thread answers by itself: it takes a fraction of a millisecond and nothing from outside. */
export function createLocalCapabilities(
  clock: Clock,
): (request: CapabilityRequest) => Promise<Uint8Array | Fault> | undefined {
  const check = createCertificateCheck(clock);
  return (request) =>
    request.capability === 'crypto/v1/is_certificate_trusted' ? check(request) : undefined;
}
