import { chordsFor, secureAttention, type Viewer, type ViewerSnapshot } from "@guruconnect/viewer";
import { Menu } from "@mantine/core";
import { KeysIcon } from "../components/icons.tsx";
import { ToolButton } from "./ToolButton.tsx";

/** Combinations that this computer would keep for itself. */
export function KeysMenu({
  viewer,
  snapshot,
  onOpen,
}: {
  viewer: Viewer;
  snapshot: ViewerSnapshot;
  onOpen: (open: boolean) => void;
}) {
  const { remote, state, viewOnly } = snapshot;
  const osFamily = remote?.osFamily ?? null;
  const attention = remote ? secureAttention(osFamily, remote.features) : null;
  const reason = whyNot(snapshot);
  return (
    <Menu position="bottom" width={250} shadow="md" onChange={onOpen} returnFocus={false}>
      <Menu.Target>
        <ToolButton label="Send keys" icon={KeysIcon} />
      </Menu.Target>
      <Menu.Dropdown>
        {reason && <Menu.Label>{reason}</Menu.Label>}
        <Menu.Item
          disabled={reason !== null || attention === null}
          onClick={() => attention && viewer.sendChord(attention)}
        >
          Ctrl + Alt + Del
        </Menu.Item>
        {attention === null && reason === null && (
          <Menu.Label>Ctrl + Alt + Del needs the agent to run as a service.</Menu.Label>
        )}
        <Menu.Divider />
        {chordsFor(osFamily).map(({ id, label, chord }) => (
          <Menu.Item key={id} disabled={reason !== null} onClick={() => viewer.sendChord(chord)}>
            {label}
          </Menu.Item>
        ))}
        {state.kind === "connected" && !viewOnly && (
          <Menu.Label>Ctrl + Alt + Shift leaves the picture</Menu.Label>
        )}
      </Menu.Dropdown>
    </Menu>
  );
}

/** Why no keys can be sent at all. */
function whyNot({ state, viewOnly, remote }: ViewerSnapshot): string | null {
  if (state.kind !== "connected") return "Not connected";
  if (viewOnly) return "View only is on";
  return remote?.rights.includes("control") ? null : "You may only view this machine";
}
