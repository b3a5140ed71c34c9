import { randomInt } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, TECHNICIAN, test } from "../lib/stack";
import { middleOf, placeOf, windowTitled } from "../lib/windows-on-desktop";

/** Twelve letters and digits that no earlier run typed. */
function randomText(): string {
  const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
  return Array.from({ length: 12 }, () => letters[randomInt(letters.length)]).join("");
}

function contents(file: string): string {
  return existsSync(file) ? readFileSync(file, "utf8") : "";
}

test("typed text arrives in a terminal, letter for letter", async ({ stack, dashboard }) => {
  const file = path.join(stack.folder, "typed.txt");
  stack.desktop.run("xterm", [
    "-u8",
    "-title",
    "Typing",
    "-geometry",
    "80x20+100+100",
    "-e",
    `cat > ${file}`,
  ]);
  const terminal = middleOf(await windowTitled(stack.desktop, "Typing"));
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const text = `${randomText()} Shift+Symbols: !@#$%^&*()_+{}|:"<>?~ -=[];',./\``;

  await viewer.click(terminal.x, terminal.y);
  await viewer.type(`${text}\n`);

  await expect.poll(() => contents(file)).toBe(`${text}\n`);
});

test("a German keyboard types its umlauts and signs on a machine with an American one", async ({
  stack,
  dashboard,
}) => {
  const file = path.join(stack.folder, "german.txt");
  stack.desktop.run("xterm", [
    "-u8",
    "-title",
    "Typing",
    "-geometry",
    "80x20+100+100",
    "-e",
    `cat > ${file}`,
  ]);
  const terminal = middleOf(await windowTitled(stack.desktop, "Typing"));
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const text = `${randomText()} Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich: ÄÖÜ §5 {ja} [x] tina@beispiel.de 3 €`;

  await viewer.click(terminal.x, terminal.y);
  await viewer.type(`${text}\n`, "german");

  await expect.poll(() => contents(file)).toBe(`${text}\n`);
});

test("an editor takes text and shortcuts", async ({ stack, dashboard }) => {
  const file = path.join(stack.folder, "note.txt");
  stack.desktop.run("mousepad", ["--disable-server", file]);
  const editor = middleOf(await windowTitled(stack.desktop, "note.txt"));
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const text = `Grüße, ${randomText()}`;

  await viewer.click(editor.x, editor.y);
  await viewer.type(text, "german");
  await viewer.page.keyboard.press("Control+KeyS");

  await expect.poll(() => contents(file).trimEnd()).toBe(text);
});

test("a window is dragged by its title bar", async ({ stack, dashboard }) => {
  stack.desktop.run("xterm", ["-title", "Dragged", "-geometry", "60x15+200+200"]);
  const before = await windowTitled(stack.desktop, "Dragged");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);
  const titleBar = { x: before.x + before.width / 2, y: before.y - 8 };

  await viewer.drag(titleBar, { x: titleBar.x + 250, y: titleBar.y + 120 });

  await expect
    .poll(() => placeOf(stack.desktop, before.id))
    .toMatchObject({ x: before.x + 250, y: before.y + 120 });
});

test("buttons and the wheel arrive where they were used", async ({ stack, dashboard }) => {
  const recorder = await stack.workload("record");
  const viewer = await dashboard.openViewer(stack.machine, TECHNICIAN);

  await viewer.moveTo(300, 250);
  await viewer.page.mouse.down({ button: "right" });
  await viewer.page.mouse.up({ button: "right" });
  await viewer.page.mouse.wheel(0, 120);

  // The recorder's window begins at (100, 100); X calls the right button 3 and the wheel down 5.
  await expect
    .poll(() => recorder.recorded)
    .toEqual(
      expect.arrayContaining([
        { button: 3, is: "down", x: 200, y: 150 },
        { button: 3, is: "up", x: 200, y: 150 },
        { button: 5, is: "down", x: 200, y: 150 },
      ]),
    );
});
