import { askHost, guestCall, Json, ValidationRequest, ValidationResponse } from '@portcullis/sdk/assembly';

/** Asks the host what the settings say, and denies with what it said: for looking at the host through a policy. */
export function __guest_call(operationLength: i32, payloadLength: i32): bool {
  return guestCall(operationLength, payloadLength, validate, check);
}

function validate(request: ValidationRequest, response: ValidationResponse): void {
  const settings = request.settings;
  const namespace = settings.get('namespace').text();
  const answer = askHost(namespace, settings.get('operation').text(), settings.get('payload').source());
  response.reject(answer.isGiven ? answer.json.source() : 'error: ' + answer.error);
}

function check(_settings: Json): string {
  return '';
}
