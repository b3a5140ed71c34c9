import { within } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { open } from "../testing/render.tsx";
import { ADMIN, FakeServer, Refused, TECHNICIAN } from "../testing/server.ts";
import { makePassword } from "./roles.ts";

const ADA = {
  id: ADMIN.id,
  username: "ada",
  display_name: "Ada Winter",
  role: "admin",
  created_at: "2026-01-01T00:00:00Z",
  disabled_at: null,
};
const BO = { ...ADA, id: "u7", username: "bo", display_name: "Bo Summer", role: "technician" };
const CLEO = { ...BO, id: "u8", username: "cleo", display_name: "Cleo Fall" };

function people() {
  return new FakeServer({
    "GET /api/users": () => ({
      items: [ADA, BO, { ...CLEO, disabled_at: "2026-02-01T00:00:00Z" }],
    }),
  });
}

describe("people", () => {
  it("lists who can sign in, as what, and who cannot any more", async () => {
    const { screen } = open("/people", people());

    const bo = await screen.findByRole("row", { name: /Bo Summer/ });
    expect(within(bo).getByText("Technician")).toBeTruthy();
    const cleo = screen.getByRole("row", { name: /Cleo Fall/ });
    expect(within(cleo).getByText("cannot sign in")).toBeTruthy();
    const ada = screen.getByRole("row", { name: /Ada Winter/ });
    expect(within(ada).getByText("you")).toBeTruthy();
    expect(within(ada).queryByRole("button")).toBeNull();
  });

  it("adds somebody with a password that can be passed on", async () => {
    const server = people();
    server.on("POST /api/users", () => CLEO);
    const { user, screen } = open("/people", server);
    await user.click(await screen.findByRole("button", { name: "Add somebody" }));

    await user.type(screen.getByLabelText("Name"), "Dee Spring");
    await user.type(screen.getByLabelText("User name"), "dee");
    await user.click(screen.getByRole("button", { name: "Add" }));

    expect(await screen.findByText("Dee Spring can sign in now.")).toBeTruthy();
    const sent = server.bodies.find(({ username }) => username === "dee");
    expect(sent).toMatchObject({ display_name: "Dee Spring", role: "technician" });
    expect(sent?.password).toMatch(/^[a-z2-9]{4}(-[a-z2-9]{4}){3}$/);
  });

  it("says why somebody was not added and keeps what was typed", async () => {
    const server = people();
    server.on("POST /api/users", () => {
      throw new Refused(409, "name_taken", "Somebody has this user name already.");
    });
    const { user, screen } = open("/people", server);
    await user.click(await screen.findByRole("button", { name: "Add somebody" }));
    await user.type(screen.getByLabelText("Name"), "Bo");
    await user.type(screen.getByLabelText("User name"), "bo");
    await user.click(screen.getByRole("button", { name: "Add" }));

    expect((await screen.findByRole("alert")).textContent).toContain("already");
    expect((screen.getByLabelText("User name") as HTMLInputElement).value).toBe("bo");
  });

  it("takes access away after asking, and gives it back", async () => {
    const server = people();
    server.on("PATCH /api/users/*", () => BO);
    const { user, screen } = open("/people", server);
    await user.click(await screen.findByRole("button", { name: "What to do with Bo Summer" }));
    await user.click(screen.getByRole("menuitem", { name: "Take their access away…" }));
    await user.click(screen.getByRole("button", { name: "Take it away" }));
    expect(await screen.findByText("Bo Summer cannot sign in any more.")).toBeTruthy();
    expect(server.bodies).toContainEqual({ disabled: true });

    await user.click(screen.getByRole("button", { name: "What to do with Cleo Fall" }));
    await user.click(screen.getByRole("menuitem", { name: "Let them sign in again" }));
    expect(await screen.findByText("Cleo Fall can sign in again.")).toBeTruthy();
    expect(server.bodies).toContainEqual({ disabled: false });
  });

  it("is not there for a technician", async () => {
    const { screen } = open("/people", new FakeServer({}, TECHNICIAN));

    expect(await screen.findByText("There is nothing at this address")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "People" })).toBeNull();
  });
});

describe("makePassword", () => {
  it("makes another one each time", () => {
    expect(makePassword()).not.toBe(makePassword());
  });
});
