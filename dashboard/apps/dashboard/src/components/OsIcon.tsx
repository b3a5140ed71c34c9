import type { Machine } from "@guruconnect/api";

const LABEL: Record<string, string> = { windows: "Windows", linux: "Linux", macos: "macOS" };

/** The machine's family of systems as a small picture with a name. */
export function OsIcon({ family, size = 18 }: { family: Machine["os_family"]; size?: number }) {
  const label = LABEL[family] ?? "Unknown system";
  return (
    <svg viewBox="0 0 20 20" width={size} height={size} role="img" aria-label={label}>
      <title>{label}</title>
      {shape(family)}
    </svg>
  );
}

function shape(family: string) {
  switch (family) {
    case "windows":
      return (
        <g fill="currentColor">
          <path d="M3 5.2 9.2 4.3v5.2H3zM10.2 4.15 17 3.2v6.3h-6.8zM3 10.5h6.2v5.2L3 14.8zM10.2 10.5H17v6.3l-6.8-.95z" />
        </g>
      );
    case "linux":
      return (
        <g fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinejoin="round">
          <rect x="2.5" y="3.5" width="15" height="13" rx="2" />
          <path d="m5.8 7.5 2.7 2.5-2.7 2.5M10.5 13h3.7" strokeLinecap="round" />
        </g>
      );
    case "macos":
      return (
        <g fill="none" stroke="currentColor" strokeWidth="1.5">
          <path
            d="M7 3.5A2.2 2.2 0 1 0 4.8 5.7H15.2A2.2 2.2 0 1 0 13 3.5V16.5a2.2 2.2 0 1 0 2.2-2.2H4.8A2.2 2.2 0 1 0 7 16.5z"
            transform="translate(10 10) scale(.86) translate(-10 -10)"
          />
        </g>
      );
    default:
      return (
        <rect
          x="3"
          y="4"
          width="14"
          height="10"
          rx="1.5"
          fill="none"
          stroke="currentColor"
          strokeWidth="1.5"
        />
      );
  }
}
