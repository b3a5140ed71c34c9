import type { ApiClient, Machine } from "@guruconnect/api";
import type { ConnectionState, Viewer, ViewerSnapshot } from "@guruconnect/viewer";
import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { AccountProvider, useAccount } from "../account/account.tsx";
import { ToastProvider } from "../components/toasts.tsx";
import { ADMIN, FakeServer, machine, TECHNICIAN } from "../testing/server.ts";
import { DisplaysMenu } from "./DisplaysMenu.tsx";
import { ElevationButton } from "./ElevationButton.tsx";
import { KeysMenu } from "./KeysMenu.tsx";
import { MachineMenu } from "./MachineMenu.tsx";
import { StatusCard } from "./StatusCard.tsx";

function fakeViewer() {
  return {
    reconnect: vi.fn(),
    trustNewKey: vi.fn(),
    sendChord: vi.fn(),
    requestElevation: vi.fn(),
    selectDisplay: vi.fn(),
    selectDesktopSession: vi.fn(),
    setGuard: vi.fn(),
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
  display: null,
  desktopSessions: [],
  guard: { block_input: false, blank_screen: false },
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

describe("the displays menu", () => {
  const remote = {
    software: "guruconnect-agent 0.1.0",
    osFamily: "windows",
    rights: ["view", "control"],
    features: ["select_display"],
  } satisfies ViewerSnapshot["remote"];
  const displays = [
    { id: 1, name: "DELL", x: 0, y: 0, width: 1920, height: 1080, primary: true },
    { id: 7, name: "LG", x: 1920, y: 0, width: 1280, height: 1024, primary: false },
  ];

  function showMenu(current: ViewerSnapshot) {
    const viewer = fakeViewer();
    render(
      <MantineProvider env="test">
        <DisplaysMenu viewer={viewer as unknown as Viewer} snapshot={current} onOpen={() => {}} />
      </MantineProvider>,
    );
    return viewer;
  }

  it("is not there when there is nothing to choose", () => {
    showMenu(snapshot({ remote, displays: displays.slice(0, 1) }));

    expect(screen.queryByRole("button")).toBeNull();
  });

  it("shows one display alone, and all of them again", async () => {
    const viewer = showMenu(snapshot({ remote, displays, display: 7 }));
    await userEvent.click(screen.getByRole("button", { name: "Displays" }));
    const one = await screen.findByRole("menuitemradio", { name: "1: DELL (1920 × 1080, main)" });
    expect(screen.getByRole("menuitemradio", { name: "2: LG (1280 × 1024)" }).ariaChecked).toBe(
      "true",
    );

    await userEvent.click(one);
    expect(viewer.selectDisplay).toHaveBeenCalledWith(1);
    await userEvent.click(screen.getByRole("button", { name: "Displays" }));
    await userEvent.click(await screen.findByRole("menuitemradio", { name: "All displays" }));

    expect(viewer.selectDisplay).toHaveBeenLastCalledWith(null);
  });

  it("lists logins when there are several, for those who may control", async () => {
    const desktopSessions = [
      { id: 1, kind: "console", user: "", shown: true },
      { id: 4, kind: "remote", user: "bob", shown: false },
    ] satisfies ViewerSnapshot["desktopSessions"];
    const viewer = showMenu(snapshot({ remote, desktopSessions }));
    await userEvent.click(screen.getByRole("button", { name: "Displays and logins" }));

    expect(
      await screen.findByRole("menuitemradio", { name: "Nobody signed in, at the machine" }),
    ).toBeTruthy();
    await userEvent.click(screen.getByRole("menuitemradio", { name: "bob, by remote desktop" }));

    expect(viewer.selectDesktopSession).toHaveBeenCalledWith(4);
  });
});

describe("the machine menu", () => {
  const restartable = machine({
    power_actions: ["restart", "safe_mode_network", "emergency_restart"],
  });

  function showMenu(current: Partial<ViewerSnapshot> = {}, of: Machine | undefined = restartable) {
    const viewer = fakeViewer();
    const server = new FakeServer({ "POST /api/machines/*/power": () => undefined });
    render(
      <MantineProvider env="test">
        <QueryClientProvider client={new QueryClient()}>
          <ToastProvider>
            <AccountProvider api={server.client()}>
              <WhenSignedIn>
                <MachineMenu
                  machine={of}
                  viewer={viewer as unknown as Viewer}
                  snapshot={snapshot(current)}
                  onOpen={() => {}}
                />
              </WhenSignedIn>
            </AccountProvider>
          </ToastProvider>
        </QueryClientProvider>
      </MantineProvider>,
    );
    return { viewer, server };
  }

  const choose = async (name: string) => {
    await userEvent.click(await screen.findByRole("button", { name: "Machine" }));
    await userEvent.click(await screen.findByRole("menuitem", { name }));
  };

  it("restarts the machine once that is confirmed", async () => {
    const { server } = showMenu();
    await choose("Restart…");
    expect(await screen.findByText(/also those with unsaved work/)).toBeTruthy();
    expect(server.calls).not.toContain(`POST /api/machines/${restartable.id}/power`);

    await userEvent.click(screen.getByRole("button", { name: "Restart" }));

    await waitFor(() => expect(server.bodies.at(-1)).toEqual({ action: "restart" }));
  });

  it("takes the machine's name before an emergency restart", async () => {
    const { server } = showMenu();
    await choose("Emergency restart…");
    const button = await screen.findByRole<HTMLButtonElement>("button", {
      name: "Emergency restart",
    });
    expect(button.disabled).toBe(true);

    await userEvent.type(screen.getByRole("textbox"), restartable.name);
    await userEvent.click(button);

    await waitFor(() =>
      expect(server.bodies.at(-1)).toEqual({
        action: "emergency_restart",
        confirmation: restartable.name,
      }),
    );
  });

  it("says for how long the machine may be in safe mode without being reached", async () => {
    const { server } = showMenu();
    await choose("Restart into safe mode with network…");
    const minutes = await screen.findByLabelText("Minutes until it restarts by itself");
    await userEvent.clear(minutes);
    await userEvent.type(minutes, "30");
    await userEvent.click(
      screen.getByRole("button", { name: "Restart into safe mode with network" }),
    );

    await waitFor(() =>
      expect(server.bodies.at(-1)).toEqual({
        action: "safe_mode_network",
        return_after_minutes: 30,
      }),
    );
  });

  it("keeps mouse and keyboard from the person at the machine, where it can", async () => {
    const remote = {
      software: "guruconnect-agent 0.1.0",
      osFamily: "windows",
      rights: ["view", "control"],
      features: ["block_input"],
    } satisfies ViewerSnapshot["remote"];
    const { viewer } = showMenu({ remote });
    await userEvent.click(await screen.findByRole("button", { name: "Machine" }));

    await userEvent.click(
      await screen.findByRole("menuitemcheckbox", { name: /Block the machine's own mouse/ }),
    );

    expect(viewer.setGuard).toHaveBeenCalledWith({ block_input: true });
    expect(screen.queryByRole("menuitemcheckbox", { name: /Blank/ })).toBeNull();
  });

  it("is not there for a machine that can do nothing of it", async () => {
    showMenu({}, machine({ power_actions: [] }));

    await waitFor(() => expect(screen.queryByRole("button", { name: "Machine" })).toBeNull());
  });
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
