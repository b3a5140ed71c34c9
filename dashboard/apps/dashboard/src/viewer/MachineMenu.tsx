import type { Machine, PowerAction } from "@guruconnect/api";
import type { Viewer, ViewerSnapshot } from "@guruconnect/viewer";
import { Menu } from "@mantine/core";
import { useState } from "react";
import { RestartIcon } from "../components/icons.tsx";
import { PowerDialog } from "./PowerDialog.tsx";
import { POWER, POWER_GROUPS } from "./power.ts";
import { ToolButton } from "./ToolButton.tsx";

/** What can be done to the machine as a whole. Only there when it can do something. */
export function MachineMenu({
  machine,
  viewer,
  snapshot,
  onOpen,
}: {
  /** `undefined` for a customer's computer, which nobody restarts from afar. */
  machine: Machine | undefined;
  viewer: Viewer;
  snapshot: ViewerSnapshot;
  onOpen: (open: boolean) => void;
}) {
  const [asked, setAsked] = useState<PowerAction | null>(null);
  const { remote, guard, state, viewOnly } = snapshot;
  const can = machine?.power_actions ?? [];
  const blocks = remote?.features.includes("block_input") ?? false;
  const blanks = remote?.features.includes("blank_screen") ?? false;
  if (can.length === 0 && !blocks && !blanks && !asked) return null;

  const mayControl = remote?.rights.includes("control") ?? false;
  const mayGuard = state.kind === "connected" && !viewOnly && mayControl;
  const groups = POWER_GROUPS.map((group) => group.filter((action) => can.includes(action))).filter(
    (group) => group.length > 0,
  );
  return (
    <>
      <Menu position="bottom" width={280} shadow="md" onChange={onOpen} returnFocus={false}>
        <Menu.Target>
          <ToolButton label="Machine" icon={RestartIcon} />
        </Menu.Target>
        <Menu.Dropdown>
          {blocks && (
            <Menu.CheckboxItem
              checked={guard.block_input}
              disabled={!mayGuard}
              onChange={(block_input) => viewer.setGuard({ block_input })}
            >
              Block the machine's own mouse and keyboard
            </Menu.CheckboxItem>
          )}
          {blanks && (
            <Menu.CheckboxItem
              checked={guard.blank_screen}
              disabled={!mayGuard}
              onChange={(blank_screen) => viewer.setGuard({ blank_screen })}
            >
              Blank the machine's own screens
            </Menu.CheckboxItem>
          )}
          {groups.map((group, index) => [
            (index > 0 || blocks || blanks) && <Menu.Divider key={`before ${group[0]}`} />,
            ...group.map((action) => (
              <Menu.Item
                key={action}
                color={POWER[action].danger ? "red" : ""}
                onClick={() => setAsked(action)}
              >
                {POWER[action].label}…
              </Menu.Item>
            )),
          ])}
        </Menu.Dropdown>
      </Menu>
      {asked && machine && (
        <PowerDialog
          machine={machine}
          action={asked}
          onClose={() => {
            setAsked(null);
            viewer.focus();
          }}
        />
      )}
    </>
  );
}
