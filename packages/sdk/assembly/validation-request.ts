import { Json } from './json';

/** What a policy of Kubewarden is asked about. What the request lacks is absent, or an empty text. */
export class ValidationRequest {
  /** The whole AdmissionRequest, or the document of a raw policy. */
  readonly request: Json;
  readonly settings: Json;
  /** `CREATE`, `UPDATE`, `DELETE` or `CONNECT`. */
  readonly operation: string;
  readonly namespace: string;
  readonly name: string;
  readonly object: Json;
  readonly oldObject: Json;

  constructor(document: Json) {
    const parts = document.getAll(['request', 'settings']);
    const members = parts[0].getAll(['operation', 'namespace', 'name', 'object', 'oldObject']);
    this.request = parts[0];
    this.settings = parts[1];
    this.operation = members[0].text();
    this.namespace = members[1].text();
    this.name = members[2].text();
    this.object = members[3];
    this.oldObject = members[4];
  }
}
