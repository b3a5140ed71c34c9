import { ActionIcon, CopyButton, Tooltip } from "@mantine/core";
import classes from "./Copy.module.css";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** A button that puts `value` on the clipboard and says that it did. */
export function CopyValue({ value, label }: { value: string; label: string }) {
  return (
    <CopyButton value={value}>
      {({ copied, copy }) => (
        <Tooltip label={copied ? "Copied" : label}>
          <ActionIcon
            variant="subtle"
            color="gray"
            onClick={copy}
            aria-label={copied ? "Copied" : label}
          >
            {copied ? <CheckIcon size={16} /> : <CopyIcon size={16} />}
          </ActionIcon>
        </Tooltip>
      )}
    </CopyButton>
  );
}

/** A line for a terminal, ready to be copied. */
export function Command({ text, label }: { text: string; label: string }) {
  return (
    <div className={classes.command}>
      <code className={classes.text}>{text}</code>
      <CopyValue value={text} label={label} />
    </div>
  );
}
