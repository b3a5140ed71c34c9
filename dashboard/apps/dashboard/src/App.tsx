import type { ApiClient } from "@guruconnect/api";
import { MantineProvider } from "@mantine/core";
import { type QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { lazy, Suspense, useEffect } from "react";
import { Navigate, Outlet, Route, Routes, useLocation } from "react-router";
import { AccountProvider, isAdmin, useAccount, useUser } from "./account/account.tsx";
import { ToastProvider } from "./components/toasts.tsx";
import { LiveProvider } from "./live.tsx";
import { MachinePage } from "./machines/MachinePage.tsx";
import { MachinesPage } from "./machines/MachinesPage.tsx";
import { ClaimPage } from "./pages/ClaimPage.tsx";
import { NotFoundPage } from "./pages/NotFoundPage.tsx";
import { SignInPage } from "./pages/SignInPage.tsx";
import { StartingPage, UnreachablePage } from "./pages/WaitingPages.tsx";
import { SettingsPage } from "./settings/SettingsPage.tsx";
import { Shell } from "./shell/Shell.tsx";
import { SupportAlerts } from "./support/SupportAlerts.tsx";
import { colorSchemeManager, cssVariables, theme } from "./theme.ts";

// Loaded when needed: most visits open none of them.
const AuditPage = lazy(() => import("./audit/AuditPage.tsx"));
const PeoplePage = lazy(() => import("./people/PeoplePage.tsx"));
const SupportPage = lazy(() => import("./support/SupportPage.tsx"));
const ViewerPage = lazy(loadViewerPage);

interface AppProps {
  api: ApiClient;
  queries: QueryClient;
  /** `test`: menus and dialogs are there at once. */
  env?: "default" | "test";
}

export function App({ api, queries, env = "default" }: AppProps) {
  return (
    <MantineProvider
      env={env}
      theme={theme}
      cssVariablesResolver={cssVariables}
      colorSchemeManager={colorSchemeManager}
      defaultColorScheme="auto"
    >
      <QueryClientProvider client={queries}>
        <AccountProvider api={api}>
          <ToastProvider>
            <AppRoutes queries={queries} />
          </ToastProvider>
        </AccountProvider>
      </QueryClientProvider>
    </MantineProvider>
  );
}

function AppRoutes({ queries }: { queries: QueryClient }) {
  const { account } = useAccount();

  // Nothing of one account may be seen by the next.
  useEffect(() => {
    if (account.kind === "signed_out") queries.clear();
  }, [account.kind, queries]);

  if (account.kind === "loading") return <StartingPage />;
  if (account.kind === "unreachable") return <UnreachablePage />;
  return (
    <Suspense fallback={null}>
      <Routes>
        <Route path="/claim" element={<ClaimPage />} />
        <Route path="/sign-in" element={<SignInPage />} />
        <Route element={<SignedIn />}>
          <Route path="/machines/:machineId/view" element={<ViewerPage />} />
          <Route element={<Shell />}>
            <Route element={<MachinesPage />}>
              <Route index element={null} />
              <Route path="/machines/:machineId" element={<MachinePage />} />
            </Route>
            <Route path="/support-codes/:supportId?" element={<SupportPage />} />
            <Route path="/machines" element={<Navigate to="/" replace />} />
            <Route element={<AdminOnly />}>
              <Route path="/audit" element={<AuditPage />} />
              <Route path="/people" element={<PeoplePage />} />
            </Route>
            <Route path="/settings" element={<SettingsPage />} />
            <Route path="*" element={<NotFoundPage />} />
          </Route>
        </Route>
      </Routes>
    </Suspense>
  );
}

function loadViewerPage() {
  return import("./viewer/ViewerPage.tsx");
}

/** Long after the first page is there: whoever signs in will open a machine. */
const PRELOAD_MS = 1_500;

/** Sends everybody else to the front door, and back here afterwards. */
function SignedIn() {
  const { account } = useAccount();
  const location = useLocation();
  const signedIn = account.kind === "signed_in";
  useEffect(() => {
    if (!signedIn) return;
    const timer = setTimeout(() => {
      // Only a head start: whatever fails here is reported where it is needed.
      loadViewerPage()
        .then(({ preloadViewer }) => preloadViewer())
        .catch(() => {});
    }, PRELOAD_MS);
    return () => clearTimeout(timer);
  }, [signedIn]);
  if (account.kind === "unclaimed") return <Navigate to="/claim" replace />;
  if (account.kind !== "signed_in") {
    const from = location.pathname + location.search;
    return <Navigate to="/sign-in" replace state={{ from }} />;
  }
  return (
    <LiveProvider>
      <SupportAlerts />
      <Outlet />
    </LiveProvider>
  );
}

function AdminOnly() {
  return isAdmin(useUser()) ? <Outlet /> : <NotFoundPage />;
}
