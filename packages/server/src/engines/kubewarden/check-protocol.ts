import { Fault, isFault } from '../../kernel/fault.ts';
import type { KubewardenGuest } from './kubewarden-guest.ts';
import type { KubewardenModule } from './kubewarden-module.ts';

const PROTOCOL = 'v1';
const UNKNOWN = 'Unknown';

/** Modules without metadata have to say themselves what they speak; programs have only one way to be asked. */
export async function checkProtocol(
  { mode, metadata }: KubewardenModule,
  guest: KubewardenGuest,
  deadline: number,
): Promise<Fault | undefined> {
  if (mode !== 'wapc') return undefined;
  const { protocolVersion } = metadata;
  if (protocolVersion !== undefined && protocolVersion !== UNKNOWN) {
    return protocolVersion === PROTOCOL
      ? undefined
      : wrongVersion(`its metadata says \`${protocolVersion}\``);
  }
  const { said } = await guest.ask({ operation: 'protocol_version', payload: [], deadline, isQuiet: false });
  if (isFault(said))
    return wrongVersion(`its metadata does not tell, and the guest neither: ${said.message}`);
  const version = Buffer.from(said).toString('utf8').trim();
  return version === JSON.stringify(PROTOCOL)
    ? undefined
    : wrongVersion(`the guest says \`${version.slice(0, 40)}\``);
}

function wrongVersion(found: string): Fault {
  return new Fault(
    'PC_KUBEWARDEN_PROTOCOL',
    `the module must speak protocol version \`${PROTOCOL}\`; ${found}`,
  );
}
