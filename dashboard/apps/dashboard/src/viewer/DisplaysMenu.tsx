import type { DesktopSession, Display, Viewer, ViewerSnapshot } from "@guruconnect/viewer";
import { Menu } from "@mantine/core";
import { DisplaysIcon } from "../components/icons.tsx";
import { ToolButton } from "./ToolButton.tsx";

const ALL = "all";

/** Which display, and whose screen. Only there when there is something to choose. */
export function DisplaysMenu({
  viewer,
  snapshot,
  onOpen,
}: {
  viewer: Viewer;
  snapshot: ViewerSnapshot;
  onOpen: (open: boolean) => void;
}) {
  const { displays, display, desktopSessions, remote, state, viewOnly } = snapshot;
  const manyDisplays =
    displays.length > 1 && (remote?.features.includes("select_display") ?? false);
  const manySessions = desktopSessions.length > 1;
  if (!manyDisplays && !manySessions) return null;

  const connected = state.kind === "connected";
  const mayChoose = connected && !viewOnly && (remote?.rights.includes("control") ?? false);
  return (
    <Menu position="bottom" width={280} shadow="md" onChange={onOpen} returnFocus={false}>
      <Menu.Target>
        <ToolButton label={manySessions ? "Displays and logins" : "Displays"} icon={DisplaysIcon} />
      </Menu.Target>
      <Menu.Dropdown>
        {manyDisplays && (
          <Menu.RadioGroup
            value={display === null ? ALL : String(display)}
            onChange={(value) => viewer.selectDisplay(value === ALL ? null : Number(value))}
          >
            <Menu.RadioItem value={ALL} closeMenuOnClick disabled={!connected}>
              All displays
            </Menu.RadioItem>
            {displays.map((one, index) => (
              <Menu.RadioItem
                key={one.id}
                value={String(one.id)}
                closeMenuOnClick
                disabled={!connected}
              >
                {describeDisplay(one, index)}
              </Menu.RadioItem>
            ))}
          </Menu.RadioGroup>
        )}
        {manyDisplays && manySessions && <Menu.Divider />}
        {manySessions && (
          <>
            <Menu.Label>
              Whoever looks at this machine sees the login that is chosen here.
            </Menu.Label>
            <Menu.RadioGroup
              value={String(desktopSessions.find(({ shown }) => shown)?.id ?? "")}
              onChange={(value) => viewer.selectDesktopSession(Number(value))}
            >
              {desktopSessions.map((session) => (
                <Menu.RadioItem
                  key={session.id}
                  value={String(session.id)}
                  closeMenuOnClick
                  disabled={!mayChoose}
                >
                  {describeSession(session)}
                </Menu.RadioItem>
              ))}
            </Menu.RadioGroup>
          </>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

function describeDisplay({ name, width, height, primary }: Display, index: number): string {
  return `${index + 1}: ${name} (${width} × ${height}${primary ? ", main" : ""})`;
}

function describeSession({ kind, user }: DesktopSession): string {
  const who = user === "" ? "Nobody signed in" : user;
  return kind === "console" ? `${who}, at the machine` : `${who}, by remote desktop`;
}
