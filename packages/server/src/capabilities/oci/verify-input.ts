import { z } from 'zod';
import { optional } from '../provider.ts';

/** What an image has to be signed by. */
export type Signer =
  | { readonly by: 'keys'; readonly keys: readonly string[] }
  | {
      readonly by: 'certificate';
      readonly certificate: Uint8Array;
      /** Intermediates first, the root last; undefined: the certificate is trusted as it is. */
      readonly chain: readonly Uint8Array[] | undefined;
      readonly needsTransparencyLog: boolean;
    }
  /** Names of identities that Sigstore's authority has certified. */
  | { readonly by: 'identity' };

export interface VerifyInput {
  readonly image: string;
  readonly signer: Signer;
  /** That the payload of the signature must have. */
  readonly annotations: Readonly<Record<string, string>>;
}

const MAX_KEYS = 16;
const MAX_CHAIN = 16;
const MAX_TEXT = 16 * 1024;

const text = z.string().max(MAX_TEXT);
const bytes = z
  .array(z.number().int().min(0).max(255))
  .max(MAX_TEXT)
  .transform((data) => Uint8Array.from(data));
const common = { image: z.string().max(1024), annotations: optional(z.record(z.string(), z.string())) };

const byKeys = z.object({ ...common, pub_keys: z.array(text).max(MAX_KEYS) });
const byCertificate = z.object({
  ...common,
  certificate: bytes,
  certificate_chain: optional(z.array(bytes).max(MAX_CHAIN)),
  require_rekor_bundle: z.boolean(),
});
const byIdentity = z.object(common);

const keysOf = ({ image, annotations, pub_keys: keys }: z.output<typeof byKeys>): VerifyInput => ({
  image,
  annotations: annotations ?? {},
  signer: { by: 'keys', keys },
});
const identityOf = ({ image, annotations }: z.output<typeof byIdentity>): VerifyInput => ({
  image,
  annotations: annotations ?? {},
  signer: { by: 'identity' },
});
const certificateOf = (input: z.output<typeof byCertificate>): VerifyInput => ({
  image: input.image,
  annotations: input.annotations ?? {},
  signer: {
    by: 'certificate',
    certificate: input.certificate,
    chain: input.certificate_chain,
    needsTransparencyLog: input.require_rekor_bundle,
  },
});

/** One key names the kind. */
export const verifyV1Input: z.ZodType<VerifyInput> = z.union([
  z.strictObject({ SigstorePubKeyVerify: byKeys }).transform((input) => keysOf(input.SigstorePubKeyVerify)),
  z
    .strictObject({ SigstoreKeylessVerify: byIdentity })
    .transform((input) => identityOf(input.SigstoreKeylessVerify)),
]);

/** `type` names the kind. */
export const verifyV2Input: z.ZodType<VerifyInput> = z.discriminatedUnion('type', [
  byKeys.extend({ type: z.literal('SigstorePubKeyVerify') }).transform(keysOf),
  byCertificate.extend({ type: z.literal('SigstoreCertificateVerify') }).transform(certificateOf),
  byIdentity.extend({ type: z.literal('SigstoreKeylessVerify') }).transform(identityOf),
  byIdentity.extend({ type: z.literal('SigstoreKeylessPrefixVerify') }).transform(identityOf),
  byIdentity.extend({ type: z.literal('SigstoreGithubActionsVerify') }).transform(identityOf),
]);
