import type { Quality } from "@guruconnect/viewer";
import { Menu } from "@mantine/core";
import { QualityIcon } from "../components/icons.tsx";
import { ToolButton } from "./ToolButton.tsx";

const QUALITIES: { value: Quality; label: string; description: string }[] = [
  { value: "auto", label: "Automatic", description: "What the network carries" },
  { value: "high", label: "High", description: "Every pixel exact" },
  { value: "medium", label: "Medium", description: "Less data while things move" },
  { value: "low", label: "Low", description: "The least data" },
];

export function QualityMenu({
  quality,
  onChange,
  onOpen,
}: {
  quality: Quality;
  onChange: (quality: Quality) => void;
  onOpen: (open: boolean) => void;
}) {
  return (
    <Menu position="bottom" width={240} shadow="md" onChange={onOpen} returnFocus={false}>
      <Menu.Target>
        <ToolButton label="Quality" icon={QualityIcon} />
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.RadioGroup value={quality} onChange={(value) => onChange(value as Quality)}>
          {QUALITIES.map(({ value, label, description }) => (
            <Menu.RadioItem key={value} value={value} closeMenuOnClick>
              {label}
              <div style={{ color: "var(--mantine-color-dimmed)", fontSize: "0.75rem" }}>
                {description}
              </div>
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
      </Menu.Dropdown>
    </Menu>
  );
}
