import { Writer } from './writer';

/**
 * What a policy of Kubewarden says. It accepts only when `accept` was called and `reject` was not; a policy that says nothing
 * rejects.
 */
export class ValidationResponse {
  private isAccepted: bool = false;
  private isRejected: bool = false;
  private message: string = '';
  private code: i32 = 0;
  private mutated: string = '';
  private warnings: Writer = new Writer();
  private annotations: Writer = new Writer();

  accept(): void {
    this.isAccepted = true;
  }

  /** The first message and code count; 0 is no code. */
  reject(message: string, code: i32 = 0): void {
    if (this.isRejected) return;
    this.isRejected = true;
    this.message = message;
    this.code = code;
  }

  /** Accepts, with the JSON text of the complete new object. */
  mutate(object: string): void {
    this.isAccepted = true;
    this.mutated = object;
  }

  /** For the user, whatever the verdict. */
  warn(message: string): void {
    separate(this.warnings).text(message);
  }

  /** For the audit log. Each key once. */
  annotate(key: string, value: string): void {
    separate(this.annotations).text(key).raw(':').text(value);
  }

  write(): Writer {
    if (!this.isAccepted && !this.isRejected) this.reject('the policy gave no verdict', 500);
    const out = new Writer();
    out.raw(this.isRejected ? '{"accepted":false' : '{"accepted":true');
    if (this.isRejected) out.raw(',"message":').text(this.message);
    if (this.code != 0) out.raw(',"code":').raw(this.code.toString());
    if (this.warnings.length > 0) out.raw(',"warnings":[').append(this.warnings).raw(']');
    if (this.annotations.length > 0) out.raw(',"audit_annotations":{').append(this.annotations).raw('}');
    if (!this.isRejected && this.mutated.length > 0) out.raw(',"mutated_object":').raw(this.mutated);
    return out.raw('}');
  }
}

function separate(list: Writer): Writer {
  return list.length > 0 ? list.raw(',') : list;
}
