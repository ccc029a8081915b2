/** Thrown by our functions into the library, which hands it on. Its text never holds data of the request. */
export class CelFailure extends Error {
  override readonly name = 'CelFailure';
}
