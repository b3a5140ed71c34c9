import { describe, expect, it } from "vitest";
import { open } from "../testing/render.tsx";
import { auditEntry, FakeServer, machine, Refused, TECHNICIAN } from "../testing/server.ts";

describe("the audit log", () => {
  it("shows that it is loading", async () => {
    const server = new FakeServer({ "GET /api/audit": () => new Promise(() => {}) });
    const { screen } = open("/audit", server);

    expect(await screen.findByRole("status", { name: "Loading the audit log" })).toBeTruthy();
  });

  it("tells entries in words and loads older ones on demand", async () => {
    const server = new FakeServer();
    server.on("GET /api/audit", ({ query }) =>
      query.get("cursor") === "next"
        ? { items: [auditEntry({ id: 2, action: "server.claimed" })], next_cursor: null }
        : { items: [auditEntry()], next_cursor: "next" },
    );
    const { user, screen } = open("/audit", server);
    expect(await screen.findByRole("button", { name: "Opened a session" })).toBeTruthy();

    await user.click(screen.getByRole("button", { name: "Show older" }));

    expect(await screen.findByRole("button", { name: "Claimed this server" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Show older" })).toBeNull();
  });

  it("shows everything about one entry, and filters by it", async () => {
    const asked: string[] = [];
    const server = new FakeServer({ "GET /api/machines": () => ({ items: [machine()] }) });
    server.on("GET /api/audit", ({ query }) => {
      asked.push(query.toString());
      return { items: [auditEntry()], next_cursor: null };
    });
    const { user, screen } = open("/audit", server);

    await user.click(await screen.findByRole("button", { name: "Opened a session" }));
    expect(await screen.findByText("192.0.2.7")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Only this machine" }));

    await expect.poll(() => asked.at(-1)).toContain("machine_id=m1");
  });

  it("says that nothing matches and lets the filters be cleared", async () => {
    const server = new FakeServer();
    server.on("GET /api/audit", ({ query }) => ({
      items: query.get("action") ? [] : [auditEntry()],
      next_cursor: null,
    }));
    const { user, screen } = open("/audit?action=machine.removed", server);

    await screen.findByText("Nothing matches these filters");
    await user.click(screen.getByRole("button", { name: "Clear the filters" }));

    expect(await screen.findByRole("button", { name: "Opened a session" })).toBeTruthy();
  });

  it("says why it could not be loaded", async () => {
    const server = new FakeServer({
      "GET /api/audit": () => {
        throw new Refused(403, "forbidden", "Only an administrator may read the audit log.");
      },
    });
    const { screen } = open("/audit", server);

    expect(await screen.findByText("Only an administrator may read the audit log.")).toBeTruthy();
  });

  it("does not exist for a technician", async () => {
    const { screen } = open("/audit", new FakeServer({}, TECHNICIAN));

    expect(await screen.findByText("There is nothing at this address")).toBeTruthy();
  });
});
