import { releaseKeyboardLock } from "./full-screen.ts";

export interface PageHandlers {
  /** The technician looks elsewhere: nothing may stay pressed. */
  left: () => void;
  /** The browser has a network again. */
  online: () => void;
}

/** Listens to what happens to the page, until `signal` is aborted. `field` has the keyboard. */
export function listenToPage(
  field: HTMLElement,
  signal: AbortSignal,
  handlers: PageHandlers,
): void {
  const options = { signal };
  field.addEventListener("blur", handlers.left, options);
  window.addEventListener("blur", handlers.left, options);
  window.addEventListener("pagehide", handlers.left, options);
  window.addEventListener("online", handlers.online, options);
  document.addEventListener(
    "visibilitychange",
    () => {
      if (document.hidden) handlers.left();
    },
    options,
  );
  document.addEventListener(
    "fullscreenchange",
    () => {
      if (!document.fullscreenElement) releaseKeyboardLock();
    },
    options,
  );
}
