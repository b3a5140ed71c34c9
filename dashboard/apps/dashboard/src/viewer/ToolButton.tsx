import { Tooltip } from "@mantine/core";
import type { ComponentType, Ref } from "react";
import classes from "./ViewerToolbar.module.css";

/** One button of the toolbar. With `pressed` it is a switch. */
export function ToolButton({
  ref,
  label,
  icon: Icon,
  pressed,
  disabled,
  tone,
  className = "",
  onClick,
  ...rest
}: {
  ref?: Ref<HTMLButtonElement>;
  label: string;
  icon: ComponentType<{ size?: number }>;
  pressed?: boolean;
  disabled?: boolean;
  tone?: "danger";
  className?: string;
  onClick?: () => void;
}) {
  return (
    <Tooltip label={label} position="bottom" withinPortal={false}>
      <button
        ref={ref}
        type="button"
        className={`${classes.tool} ${className}`}
        aria-label={label}
        aria-pressed={pressed}
        // Not `disabled`: the reason in the label must be reachable.
        aria-disabled={disabled || undefined}
        data-tone={tone}
        {...rest}
        onClick={disabled ? undefined : onClick}
      >
        <Icon size={19} />
      </button>
    </Tooltip>
  );
}
