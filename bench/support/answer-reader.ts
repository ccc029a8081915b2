const HEAD_END = Buffer.from('\r\n\r\n');

/** One complete HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** Splits what one connection receives into answers. Only `content-length` bodies, one answer at a time. */
export class AnswerReader {
  #received: Buffer | undefined;

  /** The answer that is complete with this chunk, if one is. */
  push(chunk: Buffer): Answer | undefined {
    const bytes = this.#received === undefined ? chunk : Buffer.concat([this.#received, chunk]);
    const answer = parseAnswer(bytes);
    this.#received = answer === undefined ? bytes : undefined;
    return answer;
  }
}

function parseAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf(HEAD_END);
  if (end < 0) return undefined;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (length === undefined) throw new Error(`an answer without content-length: ${head}`);
  const start = end + HEAD_END.length;
  if (bytes.length < start + Number(length)) return undefined;
  return { status: Number(head.slice(9, 12)), body: bytes.subarray(start, start + Number(length)) };
}
