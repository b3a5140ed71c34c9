/**
 * Fetches the viewer's core into the browser's cache, so that the first machine opens faster.
 * Call it when the page has nothing better to do.
 */
export async function preloadViewer(): Promise<void> {
  const core = await fetch(new URL("../wasm/guruconnect_viewer.wasm", import.meta.url));
  await core.arrayBuffer();
}
