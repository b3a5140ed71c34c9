/** A stream of events that anyone may listen to. Returned functions end the listening. */
export interface Subscribable<Event> {
  subscribe(listener: (event: Event) => void): () => void;
}

export class Emitter<Event> implements Subscribable<Event> {
  readonly #listeners = new Set<(event: Event) => void>();

  subscribe(listener: (event: Event) => void): () => void {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  emit(event: Event): void {
    for (const listener of [...this.#listeners]) listener(event);
  }

  clear(): void {
    this.#listeners.clear();
  }
}
