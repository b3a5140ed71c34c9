import type { SupportCode } from "@guruconnect/api";
import { describe, expect, it, vi } from "vitest";
import { open } from "../testing/render.tsx";
import { FakeServer, guest, Refused, supportCode, TECHNICIAN } from "../testing/server.ts";
import { splitLinks } from "./Chat.tsx";

// A real one needs a canvas.
vi.mock("../viewer/ViewerPage.tsx", async () => {
  const { useParams } = await import("react-router");
  return {
    default: () => `Viewer of ${useParams().machineId}`,
    preloadViewer: async () => {},
  };
});

const WAITING = supportCode({ state: "waiting", guest: guest() });

function withCodes(items: SupportCode[], user = TECHNICIAN) {
  const server = new FakeServer(
    {
      "GET /api/support-codes": () => ({ items, missing_programs: [] }),
      "GET /api/support-codes/*/chat": () => ({ items: [] }),
    },
    { ...user, id: "u1" },
  );
  return server;
}

const line = (id: number, text: string, from_guest = true) => ({
  id,
  support_code_id: "c1",
  from_guest,
  author: from_guest ? "grace" : "Ada Winter",
  text,
  at: "2026-01-02T03:04:05Z",
});

describe("support codes", () => {
  it("show that they are loading", async () => {
    const server = new FakeServer({ "GET /api/support-codes": () => new Promise(() => {}) });
    const { screen } = open("/support-codes", server);

    expect(await screen.findByRole("status", { name: "Loading support codes" })).toBeTruthy();
  });

  it("explain themselves while there are none", async () => {
    const { screen } = open("/support-codes", withCodes([]));

    expect(await screen.findByText("Help somebody")).toBeTruthy();
    expect(screen.getByText("Nobody is being helped right now.")).toBeTruthy();
  });

  it("say why they could not be loaded and try again when asked", async () => {
    const server = new FakeServer({
      "GET /api/support-codes": () => {
        throw new Refused(500, "internal", "The server had an internal error.");
      },
    });
    const { user, screen } = open("/support-codes", server);
    expect(await screen.findByText("The server had an internal error.")).toBeTruthy();

    server.on("GET /api/support-codes", () => ({ items: [WAITING], missing_programs: [] }));
    await user.click(screen.getByRole("button", { name: "Try again" }));

    expect(await screen.findByRole("link", { name: /Contoso/ })).toBeTruthy();
  });

  it("are made for a customer and shown large, with code and link to copy", async () => {
    const server = withCodes([]);
    server.on("POST /api/support-codes", () => supportCode());
    const { user, screen } = open("/support-codes", server);

    await user.type(await screen.findByLabelText("Customer"), "Contoso");
    await user.click(screen.getByRole("button", { name: "Make a code" }));

    expect(await screen.findByRole("img", { name: "Code 8 4 7 2 9 1" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Copy the code" })).toBeTruthy();
    expect(screen.getByRole("button", { name: "Copy the link" })).toBeTruthy();
    expect(screen.getByText("help.example/support")).toBeTruthy();
    expect(server.bodies).toContainEqual({
      customer: "Contoso",
      assigned_to_me: true,
      expires_in_seconds: null,
    });
  });

  it("say why none could be made", async () => {
    const server = withCodes([]);
    server.on("POST /api/support-codes", () => {
      throw new Refused(409, "too_many_live_codes", "Too many support codes are live.");
    });
    const { user, screen } = open("/support-codes", server);

    await user.click(await screen.findByRole("button", { name: "Make a code" }));

    expect((await screen.findByRole("alert")).textContent).toBe("Too many support codes are live.");
  });

  it("warn when customers could not download the program", async () => {
    const server = withCodes([]);
    server.on("GET /api/support-codes", () => ({ items: [], missing_programs: ["windows"] }));
    const { screen } = open("/support-codes", server);

    expect((await screen.findByRole("note")).textContent).toContain(
      "Customers on Windows cannot download the program",
    );
  });

  it("are cancelled", async () => {
    const server = withCodes([supportCode()]);
    server.on("POST /api/support-codes/*/cancel", () =>
      supportCode({ state: "cancelled", ended_at: new Date().toISOString(), link: null }),
    );
    const { user, screen } = open("/support-codes/c1", server);

    await user.click(await screen.findByRole("button", { name: "Cancel the code" }));

    await expect.poll(() => screen.queryByRole("button", { name: "Cancel the code" })).toBeNull();
    expect(screen.getByRole("list", { name: "Earlier support codes" }).textContent).toContain(
      "Cancelled",
    );
  });
});

describe("the waiting room", () => {
  it("is announced on every page and counted in the rail", async () => {
    const server = withCodes([supportCode()]);
    const { user, screen } = open("/support-codes", server);
    await screen.findByRole("link", { name: /Contoso/ });
    await user.click(screen.getByRole("link", { name: "Machines" }));

    server.publish("support_code", WAITING);

    expect(await screen.findByText("Contoso is in the waiting room.")).toBeTruthy();
    expect(await screen.findByRole("link", { name: /^Support.*1.*waiting$/ })).toBeTruthy();
  });

  it("shows who came, and lets them in", async () => {
    const server = withCodes([WAITING]);
    server.on("POST /api/support-codes/*/accept", () => ({ ...WAITING, state: "accepted" }));
    const { user, screen } = open("/support-codes/c1", server);

    const room = await screen.findByRole("region", { name: "Waiting room" });
    for (const fact of ["HOME-PC", "grace", "Windows 11 Home", "198.51.100.7"]) {
      expect(room.textContent).toContain(fact);
    }
    await user.click(screen.getByRole("button", { name: "Accept and connect" }));

    expect(await screen.findByText("Viewer of g1")).toBeTruthy();
  });

  it("says it when somebody else was faster", async () => {
    const server = withCodes([WAITING]);
    server.on("POST /api/support-codes/*/accept", () => {
      throw new Refused(409, "support_code_moved_on", "Somebody answered already.");
    });
    const { user, screen } = open("/support-codes/c1", server);

    await user.click(await screen.findByRole("button", { name: "Accept and connect" }));

    expect((await screen.findByRole("alert")).textContent).toBe("Somebody answered already.");
  });

  it("sends somebody away", async () => {
    const server = withCodes([WAITING]);
    server.on("POST /api/support-codes/*/refuse", () => ({ ...WAITING, state: "refused" }));
    const { user, screen } = open("/support-codes/c1", server);

    await user.click(await screen.findByRole("button", { name: "Refuse" }));

    await expect.poll(() => screen.queryByRole("button", { name: "Refuse" })).toBeNull();
  });

  it("offers nothing for the customer of somebody else", async () => {
    const other = { ...WAITING, assigned_to: "u9", creator: "Bo Lindqvist" };
    const { screen } = open("/support-codes/c1", withCodes([other]));

    expect(await screen.findByText("Bo Lindqvist takes care of this.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Accept and connect" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Send" })).toBeNull();
  });

  it("offers to connect only while the computer is there", async () => {
    const accepted = { ...WAITING, state: "accepted", technician_id: "u1" };
    const server = withCodes([accepted]);
    const { screen } = open("/support-codes/c1", server);
    expect(await screen.findByRole("link", { name: "Connect" })).toBeTruthy();

    server.publish("support_code", { ...accepted, guest: guest({ online: false }) });

    expect(
      await screen.findByText("You can connect as soon as the computer is back."),
    ).toBeTruthy();
  });
});

describe("a customer who asks for help", () => {
  const asking = supportCode({ requested: true, assigned_to: null, created_by: "portal" });

  it("is announced and counted, and taken by one", async () => {
    const server = withCodes([supportCode({ id: "c2", customer: "Fabrikam" })]);
    server.on("POST /api/support-codes/*/take", () => ({
      ...asking,
      technician_id: "u1",
      technician: "Ada Winter",
    }));
    const { user, screen } = open("/support-codes", server);
    await screen.findByRole("link", { name: /Fabrikam/ });

    server.publish("support_code", asking);
    expect(await screen.findByText("Contoso asks for help.")).toBeTruthy();
    await user.click(await screen.findByRole("link", { name: /Contoso/ }));
    await user.click(await screen.findByRole("button", { name: "Take" }));

    await expect.poll(() => screen.queryByRole("button", { name: "Take" })).toBeNull();
    expect(screen.getByRole("button", { name: "Send" })).toBeTruthy();
  });

  it("stays with the technician who was faster", async () => {
    const server = withCodes([asking]);
    server.on("POST /api/support-codes/*/take", () => {
      throw new Refused(409, "support_code_moved_on", "Somebody was faster.");
    });
    const { user, screen } = open("/support-codes/c1", server);

    await user.click(await screen.findByRole("button", { name: "Take" }));

    expect((await screen.findByRole("alert")).textContent).toBe("Somebody was faster.");
  });
});

describe("the chat", () => {
  it("comes live, is marked until it was read, and is answered", async () => {
    const server = withCodes([supportCode(), supportCode({ id: "c2", customer: "Fabrikam" })]);
    const { user, screen } = open("/support-codes/c2", server);
    await screen.findByRole("link", { name: /Contoso/ });

    server.publish("chat", line(7, "It does not print"));
    expect(await screen.findByRole("img", { name: "Unread message" })).toBeTruthy();

    server.on("GET /api/support-codes/c1/chat", () => ({ items: [line(7, "It does not print")] }));
    server.on("POST /api/support-codes/*/chat", () => undefined);
    await user.click(screen.getByRole("link", { name: /Contoso/ }));
    expect(await screen.findByText("It does not print")).toBeTruthy();
    await expect.poll(() => screen.queryByRole("img", { name: "Unread message" })).toBeNull();

    await user.type(screen.getByLabelText("Message to the customer"), "I will look{Enter}");
    await expect
      .poll(() => server.bodies.find((body) => body.text === "I will look")?.client_id)
      .toMatch(/^[0-9a-f]{24}$/);
    server.publish("chat", line(8, "I will look", false));
    expect(await screen.findByText("I will look")).toBeTruthy();
  });

  it("keeps what could not be sent, and sends it again as the same line", async () => {
    const server = withCodes([supportCode()]);
    const { user, screen } = open("/support-codes/c1", server);
    const field = await screen.findByLabelText<HTMLInputElement>("Message to the customer");
    server.on("POST /api/support-codes/*/chat", () => {
      throw new Refused(500, "internal", "The server failed.");
    });

    await user.type(field, "Hello{Enter}");
    expect((await screen.findByRole("alert")).textContent).toBe("The server failed.");
    expect(field.value).toBe("Hello");
    server.on("POST /api/support-codes/*/chat", () => undefined);
    await user.click(screen.getByRole("button", { name: "Send" }));

    await expect.poll(() => field.value).toBe("");
    const sent = server.bodies.filter((body) => body.text === "Hello");
    expect(sent).toHaveLength(2);
    expect(sent[0]?.client_id).toBe(sent[1]?.client_id);
  });

  it("makes links of https addresses and of nothing else", () => {
    const links = (text: string) =>
      splitLinks(text).flatMap(({ url }) => (url === null ? [] : [url]));

    expect(links("See https://example.com/a?b=1, please.")).toEqual(["https://example.com/a?b=1"]);
    for (const text of [
      "http://example.com",
      "javascript:alert(1)",
      "https://bank.example@evil.example/",
      "data:text/html,x",
      "nothing",
    ]) {
      expect(links(text)).toEqual([]);
      expect(
        splitLinks(text)
          .map((piece) => piece.text)
          .join(""),
      ).toBe(text);
    }
  });
});

describe("notifications", () => {
  it("are asked for only after a click on the offer", async () => {
    const requestPermission = vi.fn(async () => "granted");
    vi.stubGlobal("Notification", { permission: "default", requestPermission });
    try {
      const { user, screen } = open("/support-codes", withCodes([]));
      const offer = await screen.findByRole("button", { name: "Turn on notifications" });
      expect(requestPermission).not.toHaveBeenCalled();

      await user.click(offer);

      expect(requestPermission).toHaveBeenCalledOnce();
      await expect.poll(() => screen.queryByText(/Be told when/)).toBeNull();
    } finally {
      Reflect.deleteProperty(globalThis, "Notification");
    }
  });
});

describe("requests of machines", () => {
  const machine = guest({ machine_id: "m1", host_name: "DESK-07", is_managed: true });
  const asking = supportCode({
    code: null,
    link: null,
    customer: "",
    requested: true,
    state: "waiting",
    guest: machine,
    created_by: "machine",
    assigned_to: null,
  });

  it("name user and machine, and offer to take them, without a code", async () => {
    const server = withCodes([asking]);
    const taken = { ...asking, state: "accepted", technician_id: "u1", technician: "Ada Winter" };
    server.on("POST /api/support-codes/c1/take", () => taken);
    const { user, screen } = open("/support-codes/c1", server);

    expect(await screen.findByRole("heading", { name: "grace at DESK-07" })).toBeTruthy();
    expect(screen.getByRole("link", { name: "DESK-07" }).getAttribute("href")).toBe("/machines/m1");
    expect(screen.queryByRole("button", { name: "Copy the code" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Accept and connect" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Take" }));

    const connect = await screen.findByRole("link", { name: "Connect" });
    expect(connect.getAttribute("href")).toBe("/machines/m1/view");
    expect(screen.getByRole("button", { name: "Mark as done" })).toBeTruthy();
  });

  it("that another technician took cannot be taken again", async () => {
    const taken = { ...asking, state: "accepted", technician_id: "u2", technician: "Bo" };
    const { screen } = open(
      "/support-codes/c1",
      withCodes([taken], { ...TECHNICIAN, role: "technician" }),
    );

    expect(await screen.findByText("Bo takes care of this.")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Take" })).toBeNull();
    expect(screen.queryByRole("link", { name: "Connect" })).toBeNull();
  });
});
