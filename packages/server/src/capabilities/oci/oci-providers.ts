import { z } from 'zod';
import { isFault, Fault } from '../../kernel/fault.ts';
import { parseJson } from '../../kernel/json/parse-json.ts';
import type { Clock } from '../../kernel/ports.ts';
import type { OciClient } from '../../oci/oci-client.ts';
import { parseArtifactReference, type OciReference } from '../../oci/reference.ts';
import { createAnswerCache } from '../answer-cache.ts';
import { provide, type Provider, type Providers } from '../provider.ts';
import { createImageVerification } from './verify-image.ts';
import { verifyV1Input, verifyV2Input, type VerifyInput } from './verify-input.ts';

export interface OciOptions {
  readonly client: OciClient;
  readonly clock: Clock;
  /** Milliseconds that an answer is good for. */
  readonly ttl: number;
}

/** Milliseconds that a registry has, whoever waits. */
const TIMEOUT = 20_000;
const MAX_ANSWERS = 5000;
const MAX_BYTES = 32 * 1024 ** 2;
const MAX_REFERENCE = 1024;
const reference = z.string().max(MAX_REFERENCE);

/** `oci/*`. What is found out is remembered, failures for a moment only. */
export function createOciProviders({ client, clock, ttl }: OciOptions): Providers {
  const answers = createAnswerCache<Uint8Array>(
    { clock, ttl, max: MAX_ANSWERS, maxBytes: MAX_BYTES },
    ({ length }) => length,
  );
  const verify = createImageVerification({ client, clock, timeout: TIMEOUT });

  function remembered<T>(
    schema: z.ZodType<T>,
    name: string,
    ask: (input: T) => Promise<Uint8Array | Fault>,
  ): Provider {
    return provide(schema, (input) => answers.get(JSON.stringify([name, input]), () => ask(input)));
  }

  function ofImage(
    name: string,
    ask: (image: OciReference, signal: AbortSignal) => Promise<Uint8Array | Fault>,
  ): Provider {
    return remembered(reference, name, async (text) => {
      const image = parseArtifactReference(text);
      return isFault(image) ? image : ask(image, AbortSignal.timeout(TIMEOUT));
    });
  }

  async function verified(input: VerifyInput): Promise<Uint8Array | Fault> {
    const digest = await verify(input);
    return isFault(digest) ? digest : jsonBytes({ is_trusted: true, digest });
  }

  return {
    'oci/v1/manifest_digest': ofImage('digest', async (image, signal) => {
      const digest = await client.digest(image, { signal });
      return isFault(digest) ? digest : jsonBytes({ digest });
    }),
    'oci/v1/oci_manifest': ofImage('manifest', async (image, signal) => {
      const manifest = await client.manifest(image, { signal });
      return isFault(manifest) ? manifest : manifest.bytes;
    }),
    'oci/v1/oci_manifest_config': ofImage('config', async (image, signal) => {
      const found = await client.configuration(image, { signal });
      if (isFault(found)) return found;
      const { manifest, bytes } = found;
      const config = parseJson(bytes);
      if (isFault(config)) {
        return new Fault(
          'PC_CAPABILITY_FAILED',
          `the configuration of the image is not JSON: ${config.message}`,
        );
      }
      const digest = JSON.stringify(manifest.digest);
      // Both are put in as they are: what they say keeps its digits.
      return Buffer.concat([
        Buffer.from('{"manifest":'),
        manifest.bytes,
        Buffer.from(`,"digest":${digest},"config":`),
        bytes,
        Buffer.from('}'),
      ]);
    }),
    'oci/v1/verify': remembered(verifyV1Input, 'verify', verified),
    'oci/v2/verify': remembered(verifyV2Input, 'verify', verified),
  };
}

function jsonBytes(value: object): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
