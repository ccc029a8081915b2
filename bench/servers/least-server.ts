import { reusedPlugin } from '../support/reused-plugin.ts';
import { allowedReview, serveReview } from './serve-review.ts';

const [, , , , , modulePath = '', settings = '{}'] = process.argv;
const plugin = reusedPlugin(modulePath);
const TAIL = Buffer.from(`,"pluginConfig":${settings}}`);
const HEAD = Buffer.from('{');
const UID = Buffer.from('"uid":"');
const NAME = Buffer.from('"name":');
const OLD_OBJECT = Buffer.from(',"oldObject":');
const UID_LENGTH = 36;

/**
 * The least possible policy server: one reused, unmetered, never reset instance, and nothing parsed. An API server writes name,
 * namespace, operation, userInfo and object one after the other, which is nearly the plugin's input: one slice is all it takes.
 */
serveReview((body) => {
  const uid = body.indexOf(UID) + UID.length;
  const start = body.indexOf(NAME, uid);
  const end = body.lastIndexOf(OLD_OBJECT);
  const output = plugin.validate([HEAD, body.subarray(start, end), TAIL]);
  const { allowed } = JSON.parse(output) as { allowed: boolean };
  return allowedReview(body.toString('latin1', uid, uid + UID_LENGTH), allowed);
});
