import {
  type MantineColorScheme,
  Menu,
  UnstyledButton,
  useMantineColorScheme,
  VisuallyHidden,
} from "@mantine/core";
import type { ComponentType } from "react";
import { Link, Outlet, useLocation } from "react-router";
import { isAdmin, useAccount, useUser } from "../account/account.tsx";
import {
  AuditIcon,
  AutoIcon,
  MachinesIcon,
  MoonIcon,
  PeopleIcon,
  SettingsIcon,
  SignOutIcon,
  SunIcon,
  SupportIcon,
} from "../components/icons.tsx";
import { useLive } from "../live.tsx";
import { useAttention } from "../support/support.ts";
import { Mark } from "./Mark.tsx";
import classes from "./Shell.module.css";

/** Everything around the pages: the rail (a bar at the bottom on a phone) and the offline banner. */
export function Shell() {
  const user = useUser();
  const attention = useAttention();
  return (
    <div className={classes.shell}>
      <a href="#content" className={classes.skip}>
        Skip to content
      </a>
      <nav className={classes.rail} aria-label="Main">
        <Link to="/" className={classes.mark} aria-label="GuruConnect: machines">
          <Mark size={34} />
        </Link>
        <RailLink to="/" label="Machines" icon={MachinesIcon} alsoFor="/machines" />
        <RailLink
          to="/support-codes"
          label="Support"
          icon={SupportIcon}
          count={attention}
          counted="waiting"
        />
        {isAdmin(user) && <RailLink to="/audit" label="Audit" icon={AuditIcon} />}
        {isAdmin(user) && <RailLink to="/people" label="People" icon={PeopleIcon} />}
        <RailLink to="/settings" label="Settings" icon={SettingsIcon} />
        <div className={classes.space} />
        <AccountMenu />
      </nav>
      <div className={classes.main}>
        <ConnectionBanner />
        <main id="content" className={classes.content} tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </div>
  );
}

function RailLink({
  to,
  label,
  icon: Icon,
  alsoFor,
  count = 0,
  counted = "",
}: {
  to: string;
  label: string;
  icon: ComponentType<{ size?: number }>;
  /** Another path whose pages belong to this entry. */
  alsoFor?: string;
  /** Shown as a mark when it is not zero. */
  count?: number;
  /** What is counted, for screen readers. */
  counted?: string;
}) {
  const { pathname } = useLocation();
  const here = pathname === to || pathname.startsWith(alsoFor ?? `${to}/`);
  return (
    <Link to={to} className={classes.link} aria-current={here ? "page" : undefined}>
      <Icon size={20} />
      <span>{label}</span>
      {count > 0 && (
        <span className={classes.count}>
          <VisuallyHidden>: </VisuallyHidden>
          {count}
          <VisuallyHidden> {counted}</VisuallyHidden>
        </span>
      )}
    </Link>
  );
}

function AccountMenu() {
  const user = useUser();
  const { signOut } = useAccount();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const themes = [
    { value: "auto", label: "As the system", icon: AutoIcon },
    { value: "light", label: "Light", icon: SunIcon },
    { value: "dark", label: "Dark", icon: MoonIcon },
  ] as const;
  return (
    <Menu position="right-end" width={220} shadow="md">
      <Menu.Target>
        <UnstyledButton className={classes.account} aria-label={`Account of ${user.display_name}`}>
          <span className={classes.initials} data-initials={initials(user.display_name)} />
          <span className={classes.accountLabel}>Account</span>
        </UnstyledButton>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>
          {user.display_name} ({user.username})
        </Menu.Label>
        <Menu.Divider />
        <Menu.Label>Appearance</Menu.Label>
        <Menu.RadioGroup
          value={colorScheme}
          onChange={(value) => setColorScheme(value as MantineColorScheme)}
        >
          {themes.map(({ value, label, icon: Icon }) => (
            <Menu.RadioItem key={value} value={value} rightSection={<Icon size={16} />}>
              {label}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item leftSection={<SignOutIcon size={16} />} onClick={() => void signOut()}>
          Sign out
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

/** Says that what is on the page may be old, while the server cannot be reached. */
function ConnectionBanner() {
  const { state, retryNow } = useLive();
  if (state !== "unreachable") return null;
  return (
    <div className={classes.banner} role="status">
      <span>The server cannot be reached. What you see may be out of date; trying again…</span>
      <button type="button" onClick={retryNow}>
        Try now
      </button>
    </div>
  );
}

function initials(name: string): string {
  const words = name.trim().split(/\s+/);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => word?.[0] ?? "")
    .join("")
    .toUpperCase();
}
