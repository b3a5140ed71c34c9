import { describe, expect, it } from "vitest";
import { open } from "../testing/render.tsx";
import { FakeServer, machine, Refused, session, TECHNICIAN } from "../testing/server.ts";

const FLEET = [
  machine({ id: "m1", name: "Reception" }),
  machine({
    id: "m2",
    name: "dc01",
    os_name: "Windows Server 2022",
    current_user: "",
    address: "10.0.0.2",
  }),
  machine({ id: "m3", name: "bench", os_family: "linux", os_name: "Debian", online: false }),
];

const withFleet = (machines = FLEET) =>
  new FakeServer({ "GET /api/machines": () => ({ items: machines }) });

describe("the list of machines", () => {
  it("shows that it is loading", async () => {
    const server = new FakeServer({ "GET /api/machines": () => new Promise(() => {}) });
    const { screen } = open("/", server);

    expect(await screen.findByRole("status", { name: "Loading machines" })).toBeTruthy();
  });

  it("explains how to add the first machine and shows the command once", async () => {
    const server = new FakeServer();
    server.on("POST /api/enrolment-tokens", ({ body }) => ({
      id: "t1",
      name: body.name,
      uses: 0,
      max_uses: 1,
      created_at: "2026-01-01T00:00:00Z",
      created_by: "Ada Winter",
      token: "enr_abc",
    }));
    const { user, screen } = open("/", server);

    await user.click(await screen.findByRole("button", { name: "Create the command" }));
    await user.click(await screen.findByRole("tab", { name: "Linux" }));

    const command = `sudo ./guruconnect-agent --server ${window.location.origin} --token enr_abc`;
    expect(await screen.findByText(command)).toBeTruthy();
    expect(server.bodies).toContainEqual({
      name: "New machine",
      max_uses: 1,
      expires_in_seconds: 86_400,
    });
  });

  it("sends a technician without the right to add machines to an administrator", async () => {
    const { screen } = open("/", new FakeServer({}, TECHNICIAN));

    expect(await screen.findByText("An administrator can add the first one.")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Audit" })).toBeNull();
  });

  it("says why it could not be loaded and tries again when asked", async () => {
    const server = new FakeServer({
      "GET /api/machines": () => {
        throw new Refused(500, "internal", "The server had an internal error.");
      },
    });
    const { user, screen } = open("/", server);
    expect(await screen.findByText("The server had an internal error.")).toBeTruthy();

    server.on("GET /api/machines", () => ({ items: FLEET }));
    await user.click(screen.getByRole("button", { name: "Try again" }));

    expect(await screen.findByRole("link", { name: "Reception" })).toBeTruthy();
  });

  it("finds machines by every word in any column", async () => {
    const { user, screen } = open("/", withFleet());
    await screen.findByRole("link", { name: "Reception" });

    await user.type(screen.getByLabelText("Search machines"), "server 10.0.0.2");

    expect(await screen.findByRole("link", { name: "dc01" })).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Reception" })).toBeNull();
  });

  it("offers to connect only where somebody answers", async () => {
    const { screen } = open("/", withFleet());
    await screen.findByRole("link", { name: "bench" });

    expect(screen.getByRole("link", { name: "Connect to Reception" })).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Connect to bench" })).toBeNull();
  });

  it("can be walked with the arrow keys from the search field", async () => {
    const { user, screen } = open("/", withFleet());
    await screen.findByRole("link", { name: "Reception" });

    await user.click(screen.getByLabelText("Search machines"));
    await user.keyboard("{ArrowDown}");
    expect(document.activeElement?.textContent).toBe("dc01");
    await user.keyboard("{ArrowDown}");
    expect(document.activeElement?.textContent).toBe("Reception");
    await user.keyboard("{Enter}");

    expect(await screen.findByRole("heading", { name: "Reception" })).toBeTruthy();
  });

  it("follows machines as they come, change and go", async () => {
    const server = withFleet();
    const { screen } = open("/", server);
    await screen.findByRole("link", { name: "Connect to Reception" });

    server.publish("machine", machine({ id: "m9", name: "newcomer" }));
    expect(await screen.findByRole("link", { name: "Connect to newcomer" })).toBeTruthy();

    server.publish("machine", machine({ id: "m9", name: "newcomer", online: false }));
    server.publish("machine_removed", { id: "m1" });
    await expect.poll(() => screen.queryByRole("link", { name: "Connect to newcomer" })).toBeNull();
    expect(screen.queryByRole("link", { name: "Reception" })).toBeNull();
  });

  it("says that it may be out of date while the server is away, and catches up afterwards", async () => {
    const server = withFleet();
    const { user, screen } = open("/", server);
    await screen.findByRole("link", { name: "Reception" });

    server.reachable = false;
    server.drop();
    expect(await screen.findByText(/What you see may be out of date/)).toBeTruthy();
    expect(screen.getByRole("link", { name: "Reception" })).toBeTruthy();

    server.reachable = true;
    server.on("GET /api/machines", () => ({ items: [machine({ name: "Front desk" })] }));
    await user.click(screen.getByRole("button", { name: "Try now" }));

    expect(await screen.findByRole("link", { name: "Front desk" })).toBeTruthy();
    expect(screen.queryByText(/What you see may be out of date/)).toBeNull();
  });
});

describe("a machine", () => {
  it("shows what it is, who is on it and what was done", async () => {
    const server = withFleet([
      machine({
        sessions: [
          { session_id: "s9", technician: "Bo Lindqvist", started_at: new Date().toISOString() },
        ],
      }),
    ]);
    server.on("GET /api/sessions", () => ({ items: [session()], next_cursor: null }));
    const { screen } = open("/machines/m1", server);

    expect(await screen.findByText("DESKTOP-1", { selector: "dd span" })).toBeTruthy();
    expect(screen.getByRole("list", { name: "Running sessions" }).textContent).toContain(
      "Bo Lindqvist is connected",
    );
    expect(await screen.findByText("20 min")).toBeTruthy();
    expect(screen.getByText("48 MB")).toBeTruthy();
  });

  it("does not pretend that an offline machine can be opened", async () => {
    const { screen } = open("/machines/m3", withFleet());

    const connect = await screen.findByRole("button", { name: "Connect" });
    expect(connect.getAttribute("aria-disabled")).toBe("true");
  });

  it("says when it does not exist", async () => {
    const server = withFleet();
    server.on("GET /api/machines/*", () => {
      throw new Refused(404, "machine_not_found", "This machine does not exist.");
    });
    const { screen } = open("/machines/gone", server);

    expect(await screen.findByText("It may have been removed.")).toBeTruthy();
  });

  it("is renamed", async () => {
    const server = withFleet();
    server.on("PATCH /api/machines/*", ({ body }) => machine({ name: String(body.name) }));
    const { user, screen } = open("/machines/m1", server);

    await user.click(await screen.findByRole("button", { name: "More actions" }));
    await user.click(await screen.findByRole("menuitem", { name: "Rename…" }));
    const field = await screen.findByLabelText("Name");
    await user.clear(field);
    await user.type(field, "Front desk{Enter}");

    expect(await screen.findByRole("heading", { name: "Front desk" })).toBeTruthy();
  });

  it("is removed only after its name was typed", async () => {
    const server = withFleet();
    server.on("DELETE /api/machines/*", () => undefined);
    const { user, screen } = open("/machines/m1", server);

    await user.click(await screen.findByRole("button", { name: "More actions" }));
    await user.click(await screen.findByRole("menuitem", { name: "Remove…" }));
    const remove = await screen.findByRole<HTMLButtonElement>("button", { name: "Remove" });
    expect(remove.disabled).toBe(true);
    await user.type(screen.getByLabelText(/to confirm/), "Reception");
    await user.click(remove);

    expect(await screen.findByText("Reception was removed.")).toBeTruthy();
    expect(server.calls).toContain("DELETE /api/machines/m1");
  });

  it("keeps the dialog open and says why when removing is refused", async () => {
    const server = withFleet();
    server.on("DELETE /api/machines/*", () => {
      throw new Refused(403, "forbidden", "Only an administrator may do this.");
    });
    const { user, screen } = open("/machines/m1", server);

    await user.click(await screen.findByRole("button", { name: "More actions" }));
    await user.click(await screen.findByRole("menuitem", { name: "Remove…" }));
    await user.type(await screen.findByLabelText(/to confirm/), "Reception{Enter}");

    expect((await screen.findByRole("alert")).textContent).toBe(
      "Only an administrator may do this.",
    );
  });
});
