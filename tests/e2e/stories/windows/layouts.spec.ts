import type { KEYBOARDS } from "../../../../scripts/lib/keyboards.mjs";
import { Dashboard } from "../../lib/dashboard";
import { expect, TECHNICIAN, test } from "../../lib/stack";
import { WindowsDesktop } from "../../lib/windows-desktop";
import { openNotepad, startAgent, windowsFor } from "../../lib/windows-machine";

/** X11's name of the machine's keyboard, the technician's keyboard, and what is typed on it. */
const LAYOUTS: [machine: string, technician: keyof typeof KEYBOARDS, text: string][] = [
  ["us", "us", "Fox & dog: [a] {b} <c> \\ ~ ^ @ 'q' 100%"],
  ["de", "german", "Grüße, Öl & Zypern: [x] {y} ß ~ @ € \\ 3|4"],
  ["fr", "french", "Garçon, où est l'été? [être] {noël} @ # € à 10% §"],
  ["ch", "swiss", "Zürich; à Genève: é [ö] {ä} ë Ü £5 § | # € \\"],
  ["pt", "portuguese", "Ação «não»: você, é às 3h? [ñ] {ç} @ £ € º | Á"],
  ["cz", "czech", "Příliš žluťoučký kůň úpěl ďábelské ódy: [1] & @ # €"],
  ["jp", "japanese", "Nihongo: [a] {b} @ ^ ~ _ | \\ `c` + * = 'd'"],
  // The technician's keyboard is another one than the machine's.
  ["fr", "us", "Quiz: [a] {m} ~ ^ ` \\ @ w; 5%"],
  ["cz", "german", "Zehn Äpfel: 3 € für [y] {z} ~ @ ß"],
  ["us", "portuguese", "Ação, é às 3h: [ñ] «à»"],
];

test("every layout is typed into Notepad as it is on the technician's keyboard", async ({
  page,
  unclaimed,
}) => {
  test.setTimeout(300_000);
  const { server } = unclaimed;
  const windows = await windowsFor(unclaimed);
  const machine = await startAgent(windows, server);
  const place = await openNotepad(windows);
  const viewer = await new Dashboard(page, server.url).openViewer(
    machine,
    TECHNICIAN,
    WindowsDesktop.size,
  );
  await viewer.click(place.x + place.width / 2, place.y + place.height / 2);
  const clear = async () => {
    await page.keyboard.press("Control+Home");
    await page.keyboard.press("Control+Shift+End");
    await page.keyboard.press("Delete");
    await expect.poll(() => windows.ask("read-notepad")).toBe("");
  };

  for (const [layout, keyboard, text] of LAYOUTS) {
    windows.keyboard(layout);
    await viewer.type(text, keyboard);
    await expect
      .poll(() => windows.ask("read-notepad"), {
        message: `${keyboard} on a machine with ${layout}`,
      })
      .toBe(text);
    await clear();
  }
  const japanese = "日本語のかな、カナ。";
  await viewer.compose(japanese);
  await expect.poll(() => windows.ask("read-notepad")).toBe(japanese);
});
