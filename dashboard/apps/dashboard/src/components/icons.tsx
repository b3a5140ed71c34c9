import type { ReactNode, SVGProps } from "react";

/** Line icons on a 20 x 20 grid. Decorative: the text beside them, or a label, says what they mean. */
function icon(path: ReactNode) {
  // biome-ignore lint/correctness/noComponentHookFactories: called once for each icon, below.
  return function Icon({ size = 18, ...props }: SVGProps<SVGSVGElement> & { size?: number }) {
    return (
      <svg
        viewBox="0 0 20 20"
        width={size}
        height={size}
        fill="none"
        stroke="currentColor"
        strokeWidth={1.5}
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
        focusable="false"
        {...props}
      >
        {path}
      </svg>
    );
  };
}

export const MachinesIcon = icon(
  <>
    <rect x="2.5" y="3.5" width="15" height="10" rx="1.5" />
    <path d="M7 16.5h6M10 13.5v3" />
  </>,
);
export const RestartIcon = icon(
  <>
    <rect x="2.5" y="3.5" width="15" height="10" rx="1.5" />
    <path d="M7 16.5h6M12.4 7.2A2.8 2.8 0 1 0 12.8 9M12.6 5.6v1.8h-1.8" />
  </>,
);
export const DisplaysIcon = icon(
  <>
    <rect x="2.5" y="4.5" width="9" height="7" rx="1" />
    <path d="M13.5 8.5h3a1 1 0 0 1 1 1v5a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1V13.5M7 11.5v2M5.5 13.5h1.5" />
  </>,
);
/** A life ring. */
export const SupportIcon = icon(
  <>
    <circle cx="10" cy="10" r="7" />
    <circle cx="10" cy="10" r="2.8" />
    <path d="m5 5 3 3M12 12l3 3M15 5l-3 3M8 12l-3 3" />
  </>,
);
export const ChatIcon = icon(<path d="M3.5 4.5h13v9H9l-3.5 3v-3h-2zM6.5 7.8h7M6.5 10.4h4.5" />);
export const BellIcon = icon(
  <path d="M5 14h10c-1-1.2-1.4-2.4-1.4-4.5V8a3.6 3.6 0 0 0-7.2 0v1.5C6.4 11.6 6 12.8 5 14zM8.5 16.5h3" />,
);
export const LinkIcon = icon(
  <path d="M8.5 11.5a3 3 0 0 0 4.3 0l2.6-2.6a3 3 0 0 0-4.3-4.3L10 5.7M11.5 8.5a3 3 0 0 0-4.3 0l-2.6 2.6a3 3 0 0 0 4.3 4.3l1.1-1.1" />,
);
export const AuditIcon = icon(
  <>
    <path d="M5 2.5h7l3.5 3.5v11.5H5z" />
    <path d="M8 8.5h5M8 11.5h5M8 14.5h3" />
  </>,
);
export const PeopleIcon = icon(
  <>
    <circle cx="8" cy="6.8" r="2.8" />
    <path d="M2.8 16.2c.4-3 2.4-4.6 5.2-4.6s4.8 1.6 5.2 4.6M13 4.3a2.8 2.8 0 0 1 0 5M14.8 12c1.5.7 2.3 2.1 2.5 4.2" />
  </>,
);
export const SettingsIcon = icon(
  <>
    <path d="M3 6h8M15 6h2M3 14h2M9 14h8" />
    <circle cx="13" cy="6" r="2" />
    <circle cx="7" cy="14" r="2" />
  </>,
);
export const SearchIcon = icon(
  <>
    <circle cx="9" cy="9" r="5.5" />
    <path d="m13.5 13.5 3.5 3.5" />
  </>,
);
export const PlusIcon = icon(<path d="M10 4v12M4 10h12" />);
export const SunIcon = icon(
  <>
    <circle cx="10" cy="10" r="3.25" />
    <path d="M10 2.5v1.5M10 16v1.5M2.5 10H4M16 10h1.5M4.7 4.7l1 1M14.3 14.3l1 1M4.7 15.3l1-1M14.3 5.7l1-1" />
  </>,
);
export const MoonIcon = icon(<path d="M16.5 11.8A7 7 0 0 1 8.2 3.5a7 7 0 1 0 8.3 8.3z" />);
export const AutoIcon = icon(
  <>
    <circle cx="10" cy="10" r="6.5" />
    <path d="M10 3.5v13a6.5 6.5 0 0 0 0-13z" fill="currentColor" stroke="none" />
  </>,
);
export const SignOutIcon = icon(
  <>
    <path d="M8 3.5H4.5v13H8" />
    <path d="M12.5 6.5 16 10l-3.5 3.5M16 10H8" />
  </>,
);
export const MoreIcon = icon(
  <g fill="currentColor" stroke="none">
    <circle cx="4.5" cy="10" r="1.5" />
    <circle cx="10" cy="10" r="1.5" />
    <circle cx="15.5" cy="10" r="1.5" />
  </g>,
);
export const BackIcon = icon(<path d="M12 4.5 6.5 10l5.5 5.5" />);
export const CopyIcon = icon(
  <>
    <rect x="7" y="7" width="9.5" height="9.5" rx="1.5" />
    <path d="M4.5 13h-1V3.5H13v1" />
  </>,
);
export const CheckIcon = icon(<path d="m4 10.5 4 4 8-9" />);
export const CloseIcon = icon(<path d="m5 5 10 10M15 5 5 15" />);
export const ConnectIcon = icon(
  <>
    <rect x="2.5" y="3.5" width="15" height="10" rx="1.5" />
    <path d="M8.5 6.2v4.6l3.8-2.3z" fill="currentColor" />
    <path d="M7 16.5h6" />
  </>,
);
export const NewWindowIcon = icon(
  <>
    <path d="M8 4.5H3.5v12h12V12" />
    <path d="M11.5 3.5h5v5M16.5 3.5 9.5 10.5" />
  </>,
);
export const DownloadIcon = icon(<path d="M10 3v9M6.5 8.5 10 12l3.5-3.5M3.5 16.5h13" />);
export const KeyIcon = icon(
  <>
    <circle cx="6.5" cy="13.5" r="3" />
    <path d="m8.7 11.3 7-7M13 7l2 2M15.5 4.5 17 6" />
  </>,
);
export const TrashIcon = icon(
  <path d="M3.5 5.5h13M8 5.5v-2h4v2M5.5 5.5l.7 11h7.6l.7-11M8.5 9v4.5M11.5 9v4.5" />,
);
export const PencilIcon = icon(<path d="m4 13.2-.6 3.4 3.4-.6L16 6.8 13.2 4zM11.6 5.6l2.8 2.8" />);
export const FitIcon = icon(
  <>
    <rect x="2.5" y="4" width="15" height="12" rx="1.5" />
    <path d="M6 9V7h2M14 11v2h-2" />
  </>,
);
export const ActualIcon = icon(
  <>
    <rect x="2.5" y="4" width="15" height="12" rx="1.5" />
    <path d="m5.8 8 1.2-.8v5.6M12.8 8l1.2-.8v5.6" />
    <path d="M10 8.6v.1M10 11.4v.1" strokeWidth="1.9" />
  </>,
);
export const FullScreenIcon = icon(
  <path d="M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4" />,
);
export const LeaveFullScreenIcon = icon(
  <path d="M7.5 3.5v4h-4M16.5 7.5h-4v-4M12.5 16.5v-4h4M3.5 12.5h4v4" />,
);
export const EyeIcon = icon(
  <>
    <path d="M2 10s3-5 8-5 8 5 8 5-3 5-8 5-8-5-8-5z" />
    <circle cx="10" cy="10" r="2.3" />
  </>,
);
export const KeyboardIcon = icon(
  <>
    <rect x="2" y="5" width="16" height="10" rx="1.5" />
    <path d="M5 8h.01M8 8h.01M11 8h.01M14.5 8h.01M5 12h.01M8 12h4M15 12h.01" />
  </>,
);
export const ChartIcon = icon(<path d="M3 16.5h14M5.5 13V9.5M10 13V5M14.5 13V7.5" />);
export const PinIcon = icon(<path d="M7 3.5h6l-.8 5 2.3 2.5h-9l2.3-2.5zM10 11v5.5" />);
export const PowerIcon = icon(<path d="M10 3v6.5M6 5.2a6.5 6.5 0 1 0 8 0" />);
export const QualityIcon = icon(
  <>
    <path d="M3.5 13.5a7 7 0 1 1 13 0" />
    <path d="m10 12 3.2-3.7" />
    <circle cx="10" cy="12.5" r="1" fill="currentColor" />
  </>,
);
export const WarningIcon = icon(
  <>
    <path d="M10 3 2.5 16.5h15z" />
    <path d="M10 8v4M10 14.2v.1" />
  </>,
);
/** A shield: rights of an administrator. */
export const ShieldIcon = icon(
  <path d="M10 2.8 4 5v4.6c0 3.6 2.5 6.3 6 7.6 3.5-1.3 6-4 6-7.6V5zM10 2.8v14.4M4 9.8h12" />,
);
export const ChevronIcon = icon(<path d="m5.5 8 4.5 4.5L14.5 8" />);
/** A key cap with a letter: "send keys". */
export const KeysIcon = icon(
  <>
    <rect x="3" y="3.5" width="14" height="13" rx="2.5" />
    <rect x="5.8" y="5.5" width="8.4" height="7.5" rx="1.2" />
    <path d="M10 7.2v4M8 9.2h4" strokeWidth="1.2" />
  </>,
);
