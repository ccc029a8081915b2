/**
 * What was downloaded before, by its digest. It holds bytes only, and nothing that was found out about them: whatever is checked of
 * a module that comes from the network is checked of one that comes from here. No method rejects; what cannot be kept is not.
 */
export interface ModuleCache {
  /** Bytes that have this digest (`sha256:…`), and are no more than `maxBytes`; undefined when they are not there. */
  read(digest: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /** The bytes have the digest: the caller has seen to it. */
  write(digest: string, bytes: Uint8Array): Promise<void>;
  /** What a name that can move stood for when it was last looked at. */
  recall(name: string): Promise<string | undefined>;
  remember(name: string, digest: string): Promise<void>;
  /** Something that is in force: it goes last when room is needed. */
  used(digest: string): void;
}

/** Keeps nothing. */
export const noModuleCache: ModuleCache = {
  read: async () => undefined,
  write: async () => undefined,
  recall: async () => undefined,
  remember: async () => undefined,
  used: () => undefined,
};
