import type { JsonObject, Review } from '@portcullis/contract';

const REDACTED = '[redacted]';
/** Characters of a part of a token that is looked for by itself: shorter ones are words. */
const MIN_PART = 8;

/**
 * Takes the token that a review of authentication is about out of texts, in whatever form a policy would quote it: whole, escaped,
 * encoded, or a part of a JWT. At every other gate texts stay as they are.
 */
export function createTokenHider(review: Review): (text: string) => string {
  const token = tokenOf(review);
  if (token === undefined) return (text) => text;
  let parts: readonly string[] | undefined;
  let whole: readonly string[] | undefined;
  return (text) => {
    // No form is shorter than the token or the shortest part: names of users mostly are.
    if (text.length < Math.min(token.length, MIN_PART)) return text;
    parts ??= token.split(/[.:]/).filter((part) => part.length >= MIN_PART);
    const forms = text.length < token.length ? parts : [...(whole ??= formsOf(token)), ...parts];
    return forms.reduce((rest, form) => rest.replaceAll(form, REDACTED), text);
  };
}

function tokenOf({ gate, request }: Review): string | undefined {
  if (gate !== 'authentication') return undefined;
  const spec = (request.value() as JsonObject)['spec'] as JsonObject | undefined;
  const token = spec?.['token'];
  return typeof token === 'string' && token !== '' ? token : undefined;
}

/** The longest first: it may hold another one. */
function formsOf(token: string): readonly string[] {
  const bytes = Buffer.from(token);
  const forms = new Set([
    token,
    JSON.stringify(token).slice(1, -1),
    encodeURIComponent(token.toWellFormed()),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]);
  return [...forms].sort((a, b) => b.length - a.length);
}
