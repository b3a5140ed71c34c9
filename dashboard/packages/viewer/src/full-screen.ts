/**
 * Fills the screen with `element`, and asks for the keys that the technician's own system
 * would take (Alt+Tab, the Windows key, Escape), where the browser can do that.
 */
export async function enterFullScreen(element: HTMLElement): Promise<void> {
  await element.requestFullscreen({ navigationUI: "hide" });
  await keyboardLock()
    ?.lock()
    .catch(() => {});
}

export async function leaveFullScreen(): Promise<void> {
  releaseKeyboardLock();
  if (document.fullscreenElement) await document.exitFullscreen();
}

export function releaseKeyboardLock(): void {
  keyboardLock()?.unlock();
}

interface KeyboardLock {
  lock(codes?: string[]): Promise<void>;
  unlock(): void;
}

/** Chromium's; other browsers have none. */
function keyboardLock(): KeyboardLock | undefined {
  return (navigator as { keyboard?: KeyboardLock }).keyboard;
}
