import { describe, expect, it } from "vitest";
import { open } from "../testing/render.tsx";
import { ADMIN, FakeServer, Refused } from "../testing/server.ts";

describe("signing in", () => {
  it("leads back to the page that was asked for", async () => {
    const server = new FakeServer({}, null);
    server.on("POST /api/auth/login", () => ({
      access_token: "token",
      expires_in: 900,
      user: ADMIN,
    }));
    server.on("GET /api/auth/logins", () => ({ items: [] }));
    server.on("GET /api/enrolment-tokens", () => ({ items: [] }));
    const { user, screen } = open("/settings", server);

    await user.type(await screen.findByLabelText("User name"), "ada");
    await user.type(screen.getByLabelText("Password"), "correct horse battery");
    await user.click(screen.getByRole("button", { name: "Sign in" }));

    expect(await screen.findByRole("heading", { name: "Settings" })).toBeTruthy();
  });

  it("says in the server's words why it was refused, and clears the password", async () => {
    const server = new FakeServer({}, null);
    server.on("POST /api/auth/login", () => {
      throw new Refused(401, "wrong_credentials", "The user name or the password is wrong.");
    });
    const { user, screen } = open("/", server);

    await user.type(await screen.findByLabelText("User name"), "ada");
    const password = screen.getByLabelText<HTMLInputElement>("Password");
    await user.type(password, "wrong");
    await user.click(screen.getByRole("button", { name: "Sign in" }));

    expect((await screen.findByRole("alert")).textContent).toBe(
      "The user name or the password is wrong.",
    );
    expect(password.value).toBe("");
  });

  it("makes an impatient person wait as long as the server asks", async () => {
    const server = new FakeServer({}, null);
    server.on("POST /api/auth/login", () => {
      throw new Refused(429, "too_many_attempts", "Too many attempts.", "30");
    });
    const { user, screen } = open("/sign-in", server);

    await user.type(await screen.findByLabelText("User name"), "ada");
    await user.type(screen.getByLabelText("Password"), "wrong");
    await user.click(screen.getByRole("button", { name: "Sign in" }));

    const button = await screen.findByRole<HTMLButtonElement>("button", { name: /Try again in/ });
    expect(button.disabled).toBe(true);
  });

  it("goes to the front door when the server ends the login", async () => {
    const server = new FakeServer();
    const { screen } = open("/", server);
    await screen.findByText("Add your first machine");
    server.on("GET /api/auth/logins", () => {
      throw new Refused(401, "token_expired", "Your login has expired.");
    });
    server.on("POST /api/auth/refresh", () => {
      throw new Refused(401, "signed_out", "You are signed out.");
    });

    screen.getByRole("link", { name: "Settings" }).click();

    expect(await screen.findByRole("button", { name: "Sign in" })).toBeTruthy();
  });

  it("keeps trying while the server cannot be reached", async () => {
    const server = new FakeServer();
    server.reachable = false;
    const { user, screen } = open("/", server);
    await screen.findByText("The server cannot be reached");

    server.reachable = true;
    await user.click(screen.getByRole("button", { name: "Try now" }));

    expect(await screen.findByText("Add your first machine")).toBeTruthy();
  });
});

describe("claiming a fresh server", () => {
  function unclaimed() {
    const server = new FakeServer({ "GET /api/setup": () => ({ claimed: false }) }, null);
    return server;
  }

  async function fillIn({ user, screen }: ReturnType<typeof open>, repeat = "correct horse") {
    await user.type(await screen.findByLabelText("One-time secret"), " the-secret ");
    await user.type(screen.getByLabelText("Your name"), "Ada Winter");
    await user.type(screen.getByLabelText("User name"), "ada");
    await user.type(screen.getByLabelText("Password"), "correct horse");
    await user.type(screen.getByLabelText("Password again"), repeat);
  }

  it("is where every address of an unclaimed server leads, and signs in", async () => {
    const server = unclaimed();
    server.on("POST /api/setup/claim", () => ({
      access_token: "token",
      expires_in: 900,
      user: ADMIN,
    }));
    const page = open("/audit", server);

    await fillIn(page);
    await page.user.click(page.screen.getByRole("button", { name: "Set up and sign in" }));

    expect(await page.screen.findByText("Add your first machine")).toBeTruthy();
    expect(server.bodies.find((body) => "secret" in body)).toMatchObject({
      secret: "the-secret",
      username: "ada",
    });
  });

  it("says at the field that the secret is wrong", async () => {
    const server = unclaimed();
    server.on("POST /api/setup/claim", () => {
      throw new Refused(403, "wrong_secret", "The secret is wrong.");
    });
    const page = open("/claim", server);

    await fillIn(page);
    await page.user.click(page.screen.getByRole("button", { name: "Set up and sign in" }));

    expect(await page.screen.findByText("This is not the secret on the console.")).toBeTruthy();
  });

  it("does not send two different passwords", async () => {
    const page = open("/claim", unclaimed());

    await fillIn(page, "something else");

    expect(page.screen.getByText("The two passwords differ.")).toBeTruthy();
    const button = page.screen.getByRole<HTMLButtonElement>("button", {
      name: "Set up and sign in",
    });
    expect(button.disabled).toBe(true);
  });

  it("shows the way in when somebody else was faster", async () => {
    const server = unclaimed();
    server.on("POST /api/setup/claim", () => {
      throw new Refused(409, "already_claimed", "Somebody has claimed this server.");
    });
    const page = open("/claim", server);

    await fillIn(page);
    await page.user.click(page.screen.getByRole("button", { name: "Set up and sign in" }));

    expect(await page.screen.findByText("Already set up")).toBeTruthy();
  });
});

describe("an address that leads nowhere", () => {
  it("says so and shows the way back", async () => {
    const { screen } = open("/nowhere", new FakeServer());

    expect(await screen.findByText("There is nothing at this address")).toBeTruthy();
    expect(screen.getByRole("link", { name: "To the machines" })).toBeTruthy();
  });
});
