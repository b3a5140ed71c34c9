import type { ApiClient } from "@guruconnect/api";
import type { ConnectionState, Viewer, ViewerSnapshot } from "@guruconnect/viewer";
import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { AccountProvider, useAccount } from "../account/account.tsx";
import { ADMIN, FakeServer, TECHNICIAN } from "../testing/server.ts";
import { ElevationButton } from "./ElevationButton.tsx";
import { KeysMenu } from "./KeysMenu.tsx";
import { StatusCard } from "./StatusCard.tsx";

function fakeViewer() {
  return {
    reconnect: vi.fn(),
    trustNewKey: vi.fn(),
    sendChord: vi.fn(),
    requestElevation: vi.fn(),
    focus: vi.fn(),
  };
}

function WhenSignedIn({ children }: { children: React.ReactNode }) {
  return useAccount().account.kind === "signed_in" ? children : null;
}

function show(state: ConnectionState, user = ADMIN) {
  const viewer = fakeViewer();
  const api: ApiClient = new FakeServer({}, user).client();
  render(
    <MantineProvider>
      <AccountProvider api={api}>
        <WhenSignedIn>
          <StatusCard
            state={state}
            viewer={viewer as unknown as Viewer}
            machineName="Reception"
            onLeave={() => {}}
          />
        </WhenSignedIn>
      </AccountProvider>
    </MantineProvider>,
  );
  return viewer;
}

describe("the card over the picture", () => {
  it("says what it waits for and tries at once when asked", async () => {
    const viewer = show({
      kind: "reconnecting",
      reason: "machine_disconnected",
      attempt: 1,
      message: "The machine lost its connection. Waiting for it to come back…",
    });

    await userEvent.click(await screen.findByRole("button", { name: "Try now" }));

    expect(screen.getByRole("status").textContent).toContain("The machine lost its connection.");
    expect(viewer.reconnect).toHaveBeenCalled();
  });

  it("offers to connect again after an end", async () => {
    const viewer = show({ kind: "ended", reason: "session_ended", message: "It has ended." });

    await userEvent.click(await screen.findByRole("button", { name: "Connect again" }));

    expect(viewer.reconnect).toHaveBeenCalled();
  });

  it("lets an administrator trust a changed key, after saying what that means", async () => {
    const viewer = show({ kind: "ended", reason: "agent_key_changed", message: "Another key." });

    expect((await screen.findByRole("alert")).textContent).toContain(
      "Trust the new key only if you know",
    );
    await userEvent.click(screen.getByRole("button", { name: "Trust the new key and connect" }));

    expect(viewer.trustNewKey).toHaveBeenCalled();
    expect(viewer.reconnect).not.toHaveBeenCalled();
  });

  it("sends a technician to an administrator when a key has changed", async () => {
    show({ kind: "ended", reason: "agent_key_changed", message: "Another key." }, TECHNICIAN);

    expect((await screen.findByRole("alert")).textContent).toContain("Ask an administrator");
    expect(screen.queryByRole("button", { name: /Trust/ })).toBeNull();
  });
});

const snapshot = (change: Partial<ViewerSnapshot> = {}): ViewerSnapshot => ({
  state: { kind: "connected" },
  remote: {
    software: "guruconnect-agent 0.1.0",
    osFamily: "windows",
    rights: ["view", "control"],
    features: [],
  },
  picture: { width: 100, height: 100 },
  displays: [],
  hasPicture: true,
  quality: "auto",
  viewOnly: false,
  scale: "fit",
  zoom: 1,
  onScreenKeyboard: false,
  consent: "settled",
  elevation: "not_attended",
  words: null,
  paused: false,
  ...change,
});

describe("the keys menu", () => {
  async function openMenu(current: ViewerSnapshot) {
    const viewer = fakeViewer();
    render(
      <MantineProvider env="test">
        <KeysMenu viewer={viewer as unknown as Viewer} snapshot={current} onOpen={() => {}} />
      </MantineProvider>,
    );
    await userEvent.click(screen.getByRole("button", { name: "Send keys" }));
    return viewer;
  }

  it("sends what this computer would keep for itself", async () => {
    const viewer = await openMenu(snapshot());

    await userEvent.click(await screen.findByRole("menuitem", { name: "Win + R (Run)" }));

    expect(viewer.sendChord).toHaveBeenCalledWith({ kind: "keys", codes: ["MetaLeft", "KeyR"] });
  });

  it("says why Ctrl+Alt+Del cannot be sent to a Windows machine without a service", async () => {
    await openMenu(snapshot());

    const item = await screen.findByRole<HTMLButtonElement>("menuitem", {
      name: "Ctrl + Alt + Del",
    });
    expect(item.disabled).toBe(true);
    expect(screen.getByText(/needs the agent to run as a service/)).toBeTruthy();
  });

  it("sends nothing in view only", async () => {
    await openMenu(snapshot({ viewOnly: true }));

    expect(await screen.findByText("View only is on")).toBeTruthy();
    for (const item of screen.getAllByRole<HTMLButtonElement>("menuitem")) {
      expect(item.disabled).toBe(true);
    }
  });
});

describe("asking for administrator rights", () => {
  function show(change: Partial<ViewerSnapshot>) {
    const viewer = fakeViewer();
    render(
      <MantineProvider env="test">
        <ElevationButton viewer={viewer as unknown as Viewer} snapshot={snapshot(change)} />
      </MantineProvider>,
    );
    return viewer;
  }

  it("is not there where nobody sits", () => {
    show({});

    expect(screen.queryByRole("button")).toBeNull();
  });

  it("asks the person once", async () => {
    const viewer = show({ elevation: "possible" });

    await userEvent.click(screen.getByRole("button", { name: "Ask for administrator rights" }));

    expect(viewer.requestElevation).toHaveBeenCalledOnce();
  });

  it.each([
    ["unavailable", /cannot be asked for on this machine/],
    ["asked", /Waiting for the person/],
    ["starting", /asks them to confirm/],
    ["elevated", /has administrator rights/],
  ] as const)("says why it does nothing: %s", async (elevation, label) => {
    const viewer = show({ elevation });

    await userEvent.click(screen.getByRole("button", { name: label }));

    expect(viewer.requestElevation).not.toHaveBeenCalled();
  });
});
