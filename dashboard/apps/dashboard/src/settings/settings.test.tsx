import type { User } from "@guruconnect/api";
import { within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { open } from "../testing/render.tsx";
import { FakeServer, Refused, TECHNICIAN } from "../testing/server.ts";
import { describeBrowser } from "./browser.ts";

const LOGINS = [
  {
    id: "l1",
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: new Date().toISOString(),
    address: "192.0.2.1",
    user_agent: "Mozilla/5.0 (Windows NT 10.0) Gecko/20100101 Firefox/133.0",
    current: true,
  },
  {
    id: "l2",
    created_at: "2026-01-01T00:00:00Z",
    last_used_at: "2026-01-01T00:00:00Z",
    address: "198.51.100.9",
    user_agent: "Mozilla/5.0 (Linux; Android 15) Chrome/131.0 Mobile Safari/537.36",
    current: false,
  },
];
const TOKEN = {
  id: "t1",
  name: "Head office",
  uses: 3,
  max_uses: 10,
  created_at: "2026-01-01T00:00:00Z",
  created_by: "Ada Winter",
  expires_at: null,
};

function settings(user?: User) {
  return new FakeServer(
    {
      "GET /api/auth/logins": () => ({ items: LOGINS }),
      "GET /api/enrolment-tokens": () => ({ items: [TOKEN] }),
    },
    user,
  );
}

describe("settings", () => {
  it("lists logins and ends another one, but not this one", async () => {
    const server = settings();
    server.on("DELETE /api/auth/logins/*", () => undefined);
    const { user, screen } = open("/settings", server);
    const panel = await screen.findByRole("region", { name: "Where you are signed in" });
    await within(panel).findByText("Chrome on Android");

    await user.click(within(panel).getByRole("button", { name: "End" }));

    expect(await screen.findByText("The login has ended.")).toBeTruthy();
    expect(server.calls).toContain("DELETE /api/auth/logins/l2");
  });

  it("shows how often a token was used and revokes it", async () => {
    const server = settings();
    server.on("DELETE /api/enrolment-tokens/*", () => undefined);
    const { user, screen } = open("/settings", server);
    expect(await screen.findByText("3 of 10")).toBeTruthy();

    await user.click(screen.getByRole("button", { name: "Revoke the token for Head office" }));

    expect(await screen.findByText("The token no longer works.")).toBeTruthy();
  });

  it("shows who is told of customers, what did not arrive and why, and sends a test", async () => {
    const server = settings();
    const delivery = {
      id: "n1",
      kind: "support.requested",
      channel: "webhook",
      target: "https://hooks.example.com",
      state: "failed",
      attempts: 8,
      created_at: "2026-01-01T00:00:00Z",
      next_at: null,
      ended_at: "2026-01-01T08:00:00Z",
      last_error: "the receiver answered 500 Internal Server Error",
    };
    server.on("GET /api/notices", () => ({
      targets: [
        { channel: "email", target: "on-call@example.com" },
        { channel: "webhook", target: "https://hooks.example.com" },
      ],
      email_when: "after-hours",
      support_hours: "mon-fri 08:00-18:00",
      support_time_zone: "Europe/Berlin",
      items: [delivery],
    }));
    server.on("POST /api/notices/test", () => undefined);
    const { user, screen } = open("/settings", server);
    expect(await screen.findByText(/told are on-call@example.com, https:/)).toBeTruthy();
    expect(screen.getByText(/there mon-fri 08:00-18:00 \(Europe\/Berlin\)/)).toBeTruthy();
    expect(screen.getByText("Given up after 8 tries")).toBeTruthy();
    expect(screen.getByText("the receiver answered 500 Internal Server Error")).toBeTruthy();

    await user.click(screen.getByRole("button", { name: "Send a test" }));

    expect(await screen.findByText(/A test is on its way/)).toBeTruthy();
    expect(server.calls).toContain("POST /api/notices/test");
  });

  it("offers no test where nobody is told", async () => {
    const { screen } = open("/settings", settings());

    expect(await screen.findByText(/Nobody is told when a customer asks/)).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Send a test" })).toBeNull();
  });

  it("keeps enrolment tokens from a technician", async () => {
    const { screen } = open("/settings", settings(TECHNICIAN));

    expect(await screen.findByText("Where you are signed in")).toBeTruthy();
    expect(screen.queryByText("Enrolment tokens")).toBeNull();
  });

  it("changes the password, and says that other logins have ended", async () => {
    const server = settings();
    server.on("POST /api/auth/password", () => undefined);
    const { user, screen } = open("/settings", server);

    await user.type(await screen.findByLabelText("Current password"), "old password");
    await user.type(screen.getByLabelText("New password"), "new password here");
    await user.type(screen.getByLabelText("New password again"), "new password here");
    await user.click(screen.getByRole("button", { name: "Change the password" }));

    expect(await screen.findByText(/Your password was changed/)).toBeTruthy();
    expect(server.bodies).toContainEqual({ current: "old password", new: "new password here" });
  });

  it("says why a password was refused", async () => {
    const server = settings();
    server.on("POST /api/auth/password", () => {
      throw new Refused(422, "weak_password", "Use at least 12 characters.");
    });
    const { user, screen } = open("/settings", server);

    await user.type(await screen.findByLabelText("Current password"), "old password");
    await user.type(screen.getByLabelText("New password"), "short");
    await user.type(screen.getByLabelText("New password again"), "short");
    await user.click(screen.getByRole("button", { name: "Change the password" }));

    expect((await screen.findByRole("alert")).textContent).toBe("Use at least 12 characters.");
  });
});

describe("describeBrowser", () => {
  it.each([
    ["Mozilla/5.0 (Windows NT 10.0) Chrome/131.0 Safari/537.36 Edg/131.0", "Edge on Windows"],
    ["Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Safari/604.1", "Safari on iPhone"],
    ["curl/8.0", "curl/8.0"],
    ["", "Unknown browser"],
  ])("reads %s", (userAgent, words) => {
    expect(describeBrowser(userAgent)).toBe(words);
  });
});
