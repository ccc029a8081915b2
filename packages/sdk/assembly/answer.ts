import { write_output } from './env';
import { Json } from './json';
import { Patch } from './patch';
import { Writer } from './writer';

/**
 * What the policy says. It allows only when `allow` was called and neither `deny` nor `error` was; a policy that says
 * nothing denies.
 */
export class Answer {
  readonly patch: Patch = new Patch();
  private allowed: bool = false;
  private denied: bool = false;
  private message: string = '';
  private reason: string = '';
  private errors: Writer = new Writer();
  private warnings: Writer = new Writer();
  private annotations: Writer = new Writer();

  allow(message: string = ''): void {
    this.allowed = true;
    if (!this.denied) this.message = message;
  }

  /** The first message and reason count. */
  deny(message: string, reason: string = 'PolicyViolation'): void {
    if (this.denied && this.message.length > 0) return;
    this.denied = true;
    this.message = message;
    this.reason = reason;
  }

  /**
   * A denial that names the field, such as `spec.containers[0].image`. Any number of them; without a message of `deny`
   * their messages are the message.
   */
  error(field: string, message: string, errorType: string = '', invalidValue: Json = Json.absent()): void {
    if (!this.denied) {
      this.denied = true;
      this.message = '';
      this.reason = 'PolicyViolation';
    }
    separate(this.errors).raw('{"field":').text(field).raw(',"message":').text(message);
    if (errorType.length > 0) this.errors.raw(',"errorType":').text(errorType);
    if (invalidValue.exists) this.errors.raw(',"invalidValue":').raw(invalidValue.source());
    this.errors.raw('}');
  }

  /** For the user, whatever the verdict: one line, about 120 characters. */
  warn(message: string): void {
    separate(this.warnings).text(message);
  }

  /** For the audit log. Each key once. */
  annotate(key: string, value: string): void {
    separate(this.annotations).text(key).raw(':').text(value);
  }

  /** Hands the answer to the host; what `validate` returns: 0 allowed, 1 denied, 2 not taken by the host. */
  send(): i32 {
    if (!this.allowed && !this.denied) this.deny('the policy gave no verdict', 'PluginError');
    const out = new Writer();
    out.raw(this.denied ? '{"allowed":false' : '{"allowed":true');
    if (this.message.length > 0) out.raw(',"message":').text(this.message);
    if (this.denied) out.raw(',"reason":').text(this.reason);
    if (this.errors.length > 0) out.raw(',"errors":[').append(this.errors).raw(']');
    if (this.warnings.length > 0) out.raw(',"warnings":[').append(this.warnings).raw(']');
    if (this.annotations.length > 0) out.raw(',"auditAnnotations":{').append(this.annotations).raw('}');
    if (!this.denied && !this.patch.isEmpty) this.patch.writeTo(out.raw(',"patch":'));
    out.raw('}');
    if (write_output(out.address, out.length) != 0) return 2;
    return this.denied ? 1 : 0;
  }
}

function separate(list: Writer): Writer {
  return list.length > 0 ? list.raw(',') : list;
}
