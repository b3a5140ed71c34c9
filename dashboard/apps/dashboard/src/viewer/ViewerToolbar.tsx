import type { Machine } from "@guruconnect/api";
import { useViewerSnapshot } from "@guruconnect/react";
import type { ConnectionState, Viewer } from "@guruconnect/viewer";
import { useFullscreenDocument, useLocalStorage, useMediaQuery } from "@mantine/hooks";
import { type Ref, useState } from "react";
import {
  ActualIcon,
  ChartIcon,
  ChevronIcon,
  EyeIcon,
  FitIcon,
  FullScreenIcon,
  KeyboardIcon,
  LeaveFullScreenIcon,
  PinIcon,
  PowerIcon,
} from "../components/icons.tsx";
import { DisplaysMenu } from "./DisplaysMenu.tsx";
import { ElevationButton } from "./ElevationButton.tsx";
import { KeysMenu } from "./KeysMenu.tsx";
import { MachineMenu } from "./MachineMenu.tsx";
import { QualityMenu } from "./QualityMenu.tsx";
import { StatsPanel } from "./StatsPanel.tsx";
import { ToolButton } from "./ToolButton.tsx";
import { useAutoHide } from "./useAutoHide.ts";
import classes from "./ViewerToolbar.module.css";

const STATE_LABEL: Record<ConnectionState["kind"], string> = {
  connecting: "Connecting",
  connected: "Connected",
  reconnecting: "Reconnecting",
  ended: "Ended",
};

/** The slim bar at the top. Hides itself behind a handle while the technician works. */
export function ViewerToolbar({
  ref,
  viewer,
  machineName,
  machine,
  onDisconnect,
}: {
  ref: Ref<HTMLDivElement>;
  viewer: Viewer;
  machineName: string;
  /** `undefined` for a customer's computer. */
  machine: Machine | undefined;
  onDisconnect: () => void;
}) {
  const snapshot = useViewerSnapshot(viewer);
  const touch = useMediaQuery("(any-pointer: coarse)");
  const fullScreen = useFullscreenDocument();
  const [pinned, setPinned] = useLocalStorage({
    key: "guruconnect.toolbar-pinned",
    defaultValue: false,
  });
  const [showStats, setShowStats] = useLocalStorage({
    key: "guruconnect.statistics",
    defaultValue: false,
  });
  const [menuOpen, setMenuOpen] = useState(false);
  const { state, scale, viewOnly, zoom } = snapshot;
  const hide = useAutoHide(!pinned && !menuOpen && state.kind === "connected");
  const mayControl = snapshot.remote?.rights.includes("control") ?? true;

  const setMenu = (open: boolean) => {
    setMenuOpen(open);
    if (!open) viewer.focus();
  };
  const withFocus = (action: () => void) => () => {
    action();
    viewer.focus();
  };
  const toggleFullScreen = () => {
    // All of the page, so that menus and messages are in front of the picture.
    const change = fullScreen.fullscreen
      ? viewer.leaveFullScreen()
      : viewer.enterFullScreen(document.documentElement);
    // Refused by the browser: the button simply stays as it is.
    change.catch(() => {}).finally(() => viewer.focus());
  };

  return (
    <>
      <div
        ref={ref}
        className={classes.bar}
        data-hidden={hide.hidden || undefined}
        data-pinned={pinned || undefined}
        role="toolbar"
        aria-label="Viewer"
        {...hide.handlers}
      >
        <div className={classes.tools}>
          <span className={classes.name} title={`${machineName}: ${STATE_LABEL[state.kind]}`}>
            <span className={classes.dot} data-state={state.kind} />
            <span className={classes.nameText}>{machineName}</span>
            <span className={classes.hidden} aria-live="polite">
              {STATE_LABEL[state.kind]}
            </span>
          </span>
          {/* Nobody sees them at a machine of ours that stands alone. */}
          {snapshot.words && !machine && (
            <span
              className={classes.words}
              data-testid="two-words"
              title={`Whoever sits at ${machineName} sees the same two words while you are connected`}
            >
              {snapshot.words.join(" ")}
            </span>
          )}
          <ToolButton
            label="Fit the picture to the window"
            icon={FitIcon}
            pressed={scale === "fit" && zoom === 1}
            onClick={withFocus(() => viewer.setScale("fit"))}
          />
          <ToolButton
            label="Actual size"
            icon={ActualIcon}
            pressed={scale === "actual"}
            onClick={withFocus(() => viewer.setScale("actual"))}
          />
          <ToolButton
            label={fullScreen.fullscreen ? "Leave full screen" : "Full screen, with all keys"}
            icon={fullScreen.fullscreen ? LeaveFullScreenIcon : FullScreenIcon}
            onClick={toggleFullScreen}
          />
          <DisplaysMenu viewer={viewer} snapshot={snapshot} onOpen={setMenu} />
          <span className={classes.divider} />
          <ToolButton
            label={mayControl ? "View only" : "You may only view this machine"}
            icon={EyeIcon}
            pressed={viewOnly || !mayControl}
            disabled={!mayControl}
            onClick={withFocus(() => viewer.setViewOnly(!viewOnly))}
          />
          <KeysMenu viewer={viewer} snapshot={snapshot} onOpen={setMenu} />
          <ElevationButton viewer={viewer} snapshot={snapshot} />
          <MachineMenu machine={machine} viewer={viewer} snapshot={snapshot} onOpen={setMenu} />
          {touch && (
            <ToolButton
              label="On-screen keyboard"
              icon={KeyboardIcon}
              pressed={snapshot.onScreenKeyboard}
              onClick={() => viewer.setOnScreenKeyboard(!snapshot.onScreenKeyboard)}
            />
          )}
          <QualityMenu
            quality={snapshot.quality}
            onChange={(quality) => viewer.setQuality(quality)}
            onOpen={setMenu}
          />
          <ToolButton
            label="Statistics"
            icon={ChartIcon}
            pressed={showStats}
            onClick={withFocus(() => setShowStats(!showStats))}
          />
          <span className={classes.divider} />
          <ToolButton
            label={pinned ? "Hide this bar by itself" : "Keep this bar open"}
            icon={PinIcon}
            pressed={pinned}
            className={classes.pin ?? ""}
            onClick={withFocus(() => setPinned(!pinned))}
          />
          <ToolButton label="Disconnect" icon={PowerIcon} tone="danger" onClick={onDisconnect} />
        </div>
        <button
          type="button"
          className={classes.handle}
          aria-label="Show the toolbar"
          tabIndex={-1}
          onClick={hide.show}
        >
          <span className={classes.dot} data-state={state.kind} />
          {viewOnly && <EyeIcon size={13} />}
          <ChevronIcon size={13} />
        </button>
      </div>
      {showStats && <StatsPanel viewer={viewer} onClose={withFocus(() => setShowStats(false))} />}
    </>
  );
}
