// The dashboard as a technician finds it: by what stands on buttons and fields, never by
// how a page is built.

import { expect, type Locator, type Page } from "@playwright/test";
import { KEYBOARDS, type Stroke } from "../../../scripts/lib/keyboards.mjs";
import { differencesFromKnownPicture } from "./known-picture";

/** Of the stories' X11 desktop, in pixels. */
const X11_SIZE = { width: 1280, height: 800 };

export class Dashboard {
  constructor(
    readonly page: Page,
    readonly url: string,
  ) {}

  async open(path = "/"): Promise<void> {
    // The viewer's bar hides itself while one works; here its buttons stay in their places.
    await this.page.addInitScript(() => localStorage.setItem("guruconnect.toolbar-pinned", "true"));
    await this.page.goto(this.url + path);
  }

  async claim(
    secret: string,
    user: { username: string; display_name: string; password: string },
  ): Promise<void> {
    const { page } = this;
    await page.getByLabel("One-time secret").fill(secret);
    await page.getByLabel("Your name").fill(user.display_name);
    await page.getByLabel("User name").fill(user.username);
    await page.getByLabel("Password", { exact: true }).fill(user.password);
    await page.getByLabel("Password again").fill(user.password);
    await page.getByRole("button", { name: "Set up and sign in" }).click();
  }

  async signIn({ username, password }: { username: string; password: string }): Promise<void> {
    const { page } = this;
    await page.getByLabel("User name").fill(username);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  }

  machineRow(name: string): Locator {
    return this.page.getByRole("row").filter({ hasText: name });
  }

  /** Signs in, opens a machine's screen as a bookmark does, and waits for its picture. */
  async openViewer(
    machine: { id: string },
    user: { username: string; password: string },
    size = X11_SIZE,
  ): Promise<ViewerPage> {
    await this.open(`/machines/${machine.id}/view`);
    await this.signIn(user);
    const viewer = new ViewerPage(this.page);
    await viewer.shows(size);
    return viewer;
  }
}

/** The viewer's page: the remote screen on a canvas, and the bar of buttons around it. */
export class ViewerPage {
  constructor(readonly page: Page) {}

  get canvas(): Locator {
    return this.page.getByTestId("remote-screen");
  }

  /** Waits until the canvas has the machine's size and something is painted in its middle. */
  async shows({ width, height } = X11_SIZE, timeout = 20_000): Promise<void> {
    await expect
      .poll(
        () =>
          this.canvas.evaluate(sizeWhenPainted, null, { timeout: 1_000 }).catch(() => "no canvas"),
        {
          timeout,
          message: "the remote screen is on the canvas",
        },
      )
      .toBe(`${width}x${height}`);
  }

  /** Gives the keyboard to the picture, without a click that the machine would see. */
  async focus(): Promise<void> {
    await this.page.getByLabel(/^Keyboard of the remote machine/).focus();
  }

  /** Where a pixel of the remote screen stands on the page. */
  async place(x: number, y: number): Promise<{ x: number; y: number }> {
    return this.canvas.evaluate(
      (element, [px, py]) => {
        const canvas = element as HTMLCanvasElement;
        const box = canvas.getBoundingClientRect();
        return {
          x: box.x + ((px + 0.5) * box.width) / canvas.width,
          y: box.y + ((py + 0.5) * box.height) / canvas.height,
        };
      },
      [x, y] as const,
    );
  }

  async moveTo(x: number, y: number): Promise<void> {
    const place = await this.place(x, y);
    await this.page.mouse.move(place.x, place.y);
  }

  async click(x: number, y: number): Promise<void> {
    await this.moveTo(x, y);
    await this.page.mouse.down();
    await this.page.mouse.up();
  }

  async drag(from: Point, to: Point): Promise<void> {
    const steps = 10;
    await this.moveTo(from.x, from.y);
    await this.page.mouse.down();
    for (let step = 1; step <= steps; step++) {
      await this.moveTo(
        from.x + ((to.x - from.x) * step) / steps,
        from.y + ((to.y - from.y) * step) / steps,
      );
    }
    await this.page.mouse.up();
  }

  /** Types as a person with that keyboard does: places of keys, with what each one makes. */
  async type(text: string, keyboard: keyof typeof KEYBOARDS = "us"): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    for (const character of text) {
      const stroke = character === "\n" ? { code: "Enter" } : KEYBOARDS[keyboard].get(character);
      if (!stroke) throw new Error(`the ${keyboard} keyboard has no ${character}`);
      const { code, shift, altGraph, dead } = stroke as Stroke;
      if (dead) {
        // Two keys make one character, and the browser's text field puts them together.
        await session.send("Input.dispatchKeyEvent", {
          type: "rawKeyDown",
          key: "Dead",
          code: dead.code,
          windowsVirtualKeyCode: COMPOSING,
        });
        await session.send("Input.insertText", { text: character });
        continue;
      }
      if (altGraph) {
        // The debugging protocol knows no AltGr, so the page makes these events itself.
        await this.page.evaluate(pressWithAltGraph, { character, code });
        continue;
      }
      const key = character === "\n" ? "Enter" : character;
      const modifiers = shift ? SHIFT : 0;
      const event = { key, code, modifiers, windowsVirtualKeyCode: character === "\n" ? 13 : 0 };
      if (shift)
        await session.send("Input.dispatchKeyEvent", {
          ...SHIFT_KEY,
          type: "rawKeyDown",
          modifiers,
        });
      await session.send("Input.dispatchKeyEvent", {
        ...event,
        type: "keyDown",
        text: character === "\n" ? "\r" : character,
      });
      await session.send("Input.dispatchKeyEvent", { ...event, type: "keyUp" });
      if (shift)
        await session.send("Input.dispatchKeyEvent", { ...SHIFT_KEY, type: "keyUp", modifiers: 0 });
    }
    await session.detach();
  }

  /** What an input method makes, which no key of the keyboard does. */
  async compose(text: string): Promise<void> {
    const session = await this.page.context().newCDPSession(this.page);
    await session.send("Input.imeSetComposition", {
      text,
      selectionStart: text.length,
      selectionEnd: text.length,
    });
    await session.send("Input.insertText", { text });
    await session.detach();
  }

  /** Colour of a pixel of the remote screen as shown, `0xRRGGBB`. */
  async pixel(x: number, y: number): Promise<number> {
    return this.canvas.evaluate(
      (element, [px, py]) => {
        const [red, green, blue] = (element as HTMLCanvasElement)
          .getContext("2d")
          ?.getImageData(px, py, 1, 1).data ?? [0, 0, 0];
        return (red << 16) | (green << 8) | blue;
      },
      [x, y] as const,
    );
  }

  /** How many pixels differ from the known picture, with the first of them in words. */
  differencesFromKnownPicture(seed: number): Promise<{ count: number; first?: string }> {
    return this.canvas.evaluate(differencesFromKnownPicture, seed);
  }

  button(name: string | RegExp): Locator {
    return this.page.getByRole("button", { name });
  }

  /** What the viewer says while there is no connection. */
  says(sentence: string | RegExp): Locator {
    return this.page
      .getByRole("status")
      .or(this.page.getByRole("alert"))
      .filter({ hasText: sentence });
  }

  /** Connected: nothing is said over the picture, and it is not dimmed. */
  async isLive(timeout = 20_000): Promise<void> {
    await expect(this.canvas).toHaveCSS("opacity", "1", { timeout });
  }
}

/** What browsers say of a key whose character is still being composed. */
const COMPOSING = 229;

interface Point {
  x: number;
  y: number;
}

/** The debugging protocol's bit for Shift. */
const SHIFT = 8;
const SHIFT_KEY = { key: "Shift", code: "ShiftLeft", windowsVirtualKeyCode: 16 };

/** Runs in the page. An unpainted canvas is black; the stories' desktops are not. */
function sizeWhenPainted(element: HTMLElement | SVGElement): string {
  const canvas = element as HTMLCanvasElement;
  const [red, green, blue] =
    canvas.getContext("2d")?.getImageData(canvas.width >> 1, canvas.height >> 1, 1, 1).data ?? [];
  return red || green || blue ? `${canvas.width}x${canvas.height}` : "nothing painted";
}

/** Runs in the page. */
function pressWithAltGraph({ character, code }: { character: string; code: string }): void {
  const field = document.activeElement;
  const press = (type: string, key: string, place: string, modifierAltGraph: boolean) =>
    field?.dispatchEvent(
      new KeyboardEvent(type, {
        key,
        code: place,
        modifierAltGraph,
        bubbles: true,
        cancelable: true,
      }),
    );
  press("keydown", "AltGraph", "AltRight", true);
  press("keydown", character, code, true);
  press("keyup", character, code, true);
  press("keyup", "AltGraph", "AltRight", false);
}
