/**
 * Remembers which key each machine proved to hold when this browser first saw it. A server that
 * was broken into cannot put another machine in its place unnoticed.
 */
export interface PinStore {
  get(machineId: string): string | null;
  set(machineId: string, agentPublicKey: string): void;
  delete(machineId: string): void;
}

const PREFIX = "guruconnect.agent-key.";

/** Pins in this browser's storage. Where storage is forbidden nothing is remembered. */
export class LocalPinStore implements PinStore {
  get(machineId: string): string | null {
    return withStorage((storage) => storage.getItem(PREFIX + machineId)) ?? null;
  }

  set(machineId: string, agentPublicKey: string): void {
    withStorage((storage) => storage.setItem(PREFIX + machineId, agentPublicKey));
  }

  delete(machineId: string): void {
    withStorage((storage) => storage.removeItem(PREFIX + machineId));
  }
}

/** The server names another key for the machine than the one this browser remembers. */
export class AgentKeyChangedError extends Error {
  readonly code = "agent_key_changed";

  constructor() {
    super("the machine's key is not the one this browser remembers");
    this.name = "AgentKeyChangedError";
  }
}

function withStorage<T>(use: (storage: Storage) => T): T | undefined {
  try {
    return use(globalThis.localStorage);
  } catch {
    return undefined;
  }
}
