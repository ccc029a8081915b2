import type { JsonValue } from '@portcullis/contract';
import { Fault, isFault } from '../../kernel/fault.ts';
import { isJsonObject } from '../../kernel/json/json-equal.ts';
import type { KubewardenGuest } from './kubewarden-guest.ts';
import { settingsText } from './kubewarden-input.ts';
import { parseSettingsOutput } from './kubewarden-output.ts';

/** What the guest thinks of its settings. Faults: PC_POLICY_SETTINGS; PC_WASM_… when it did not come to its end. */
export async function checkSettings(
  settings: JsonValue,
  guest: KubewardenGuest,
  deadline: number,
): Promise<Fault | undefined> {
  if (settings !== null && !isJsonObject(settings)) return refused('they must be an object');
  const payload = [Buffer.from(settingsText(settings))];
  const { said } = await guest.ask({ operation: 'validate_settings', payload, deadline, isQuiet: false });
  if (isFault(said)) {
    return said.code === 'PC_KUBEWARDEN_GUEST'
      ? refused(said.message)
      : new Fault(said.code, `the settings could not be checked: ${said.message}`, { cause: said });
  }
  const output = parseSettingsOutput(said);
  if (isFault(output)) return refused(output.message);
  return output.valid ? undefined : refused(output.message || 'the policy does not say why');
}

function refused(why: string): Fault {
  return new Fault('PC_POLICY_SETTINGS', `the settings are not valid: ${why}`);
}
