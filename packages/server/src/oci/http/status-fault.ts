import { Fault, type FaultCode } from '../../kernel/fault.ts';
import { isRecord } from '../descriptor.ts';
import { parseJson } from '../manifest.ts';
import { shown, type Incoming } from './transport.ts';

const CODES: Readonly<Record<number, { readonly code: FaultCode; readonly text: string }>> = {
  401: { code: 'PC_OCI_UNAUTHORIZED', text: 'does not accept our credentials' },
  403: { code: 'PC_OCI_FORBIDDEN', text: 'refuses' },
  404: { code: 'PC_OCI_NOT_FOUND', text: 'is not there' },
  429: { code: 'PC_OCI_THROTTLED', text: 'has had too many requests' },
};

/** What an answer means that is not the one which was hoped for. */
export function statusFault(answer: Incoming): Fault {
  const { status, url } = answer;
  const { code, text } = CODES[status] ?? {
    code: status >= 500 ? ('PC_OCI_SERVER' as const) : ('PC_OCI_ANSWER' as const),
    text: 'cannot be used',
  };
  return new Fault(code, `\`${shown(url)}\` ${text}: answer ${status}${errorCodes(answer)}`, {
    data: { status },
  });
}

/** Codes only: a message may repeat what we sent. */
function errorCodes({ body }: Incoming): string {
  const value = parseJson(body);
  const errors = isRecord(value) && Array.isArray(value['errors']) ? value['errors'] : [];
  const codes = errors.flatMap((error: unknown) => {
    const code = isRecord(error) ? error['code'] : undefined;
    return typeof code === 'string' && /^[A-Z][A-Z_]{0,40}$/.test(code) ? [code] : [];
  });
  return codes.length === 0 ? '' : ` ${[...new Set(codes)].slice(0, 3).join(', ')}`;
}
