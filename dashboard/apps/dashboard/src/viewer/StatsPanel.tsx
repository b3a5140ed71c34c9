import { useViewerStats } from "@guruconnect/react";
import type { LatencyParts, Viewer, ViewerStats } from "@guruconnect/viewer";
import { CloseButton } from "@mantine/core";
import classes from "./StatsPanel.module.css";

/** In the order of a frame's way from the machine to the eye. */
const PARTS: { key: keyof LatencyParts; label: string }[] = [
  { key: "capture", label: "Capture" },
  { key: "encode", label: "Encode" },
  { key: "queue", label: "Queue" },
  { key: "network", label: "Network" },
  { key: "decode", label: "Decode" },
  { key: "paint", label: "Paint" },
];

/** Figures over the picture: how fast, how much, and where a frame's time goes. */
export function StatsPanel({ viewer, onClose }: { viewer: Viewer; onClose: () => void }) {
  const stats = useViewerStats(viewer);
  return (
    <aside className={classes.panel} aria-label="Statistics" data-testid="statistics">
      <div className={classes.head}>
        <h2>Statistics</h2>
        <CloseButton size="sm" aria-label="Close statistics" onClick={onClose} />
      </div>
      {stats ? <Figures stats={stats} /> : <p className={classes.sentence}>Not connected.</p>}
    </aside>
  );
}

function Figures({ stats }: { stats: ViewerStats }) {
  const total = PARTS.reduce((sum, { key }) => sum + stats.latency[key], 0);
  return (
    <>
      <dl className={classes.figures}>
        <Figure name="Frames" value={`${stats.framesPerSecond}/s`} />
        <Figure name="Data" value={describeRate(stats.kilobitsPerSecond)} />
        <Figure name="Round trip" value={describeMs(stats.roundTripMs)} />
        <Figure name="Input to picture" value={describeMs(stats.inputToFrameMs)} />
      </dl>
      <div className={classes.way}>
        <div className={classes.wayHead}>
          <span>A frame's way</span>
          <span className="num">{describeMs(total)}</span>
        </div>
        <div className={classes.stack} aria-hidden="true">
          {PARTS.map(({ key }) => (
            <span key={key} data-part={key} style={{ flexGrow: stats.latency[key] }} />
          ))}
        </div>
        <dl className={classes.parts}>
          {PARTS.map(({ key, label }) => (
            <div key={key}>
              <dt>
                <span className={classes.swatch} data-part={key} />
                {label}
              </dt>
              <dd className="num">{describeMs(stats.latency[key])}</dd>
            </div>
          ))}
        </dl>
      </div>
      <p className={classes.sentence}>
        {stats.limitSentence}
        {stats.exact ? " The picture is exact." : ""}
      </p>
      {stats.pictureSentence !== null && (
        <p className={classes.sentence} data-testid="picture-sentence">
          {stats.pictureSentence}
        </p>
      )}
      {stats.screenSource !== null && (
        <p className={classes.sentence}>Reads the screen by: {stats.screenSource}</p>
      )}
    </>
  );
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="num">{value}</dd>
    </div>
  );
}

function describeMs(ms: number | null): string {
  if (ms === null) return "–";
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

function describeRate(kilobits: number): string {
  return kilobits < 1_000 ? `${kilobits} kbit/s` : `${(kilobits / 1_000).toFixed(1)} Mbit/s`;
}
