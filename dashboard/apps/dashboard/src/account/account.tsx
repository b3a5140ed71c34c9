import { type ApiClient, isUnreachable, type User } from "@guruconnect/api";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useState,
} from "react";

/** Who uses this page. */
export type Account =
  | { kind: "loading" }
  /** Nobody has claimed the server yet. */
  | { kind: "unclaimed" }
  | { kind: "signed_out" }
  | { kind: "signed_in"; user: User }
  | { kind: "unreachable" };

interface AccountContextValue {
  api: ApiClient;
  account: Account;
  signIn: (username: string, password: string) => Promise<void>;
  claim: ApiClient["claim"];
  signOut: () => Promise<void>;
  retry: () => void;
}

const AccountContext = createContext<AccountContextValue | null>(null);

/** How long to wait before asking an unreachable server again. */
const RETRY_MS = 2_000;

export function AccountProvider({ api, children }: { api: ApiClient; children: ReactNode }) {
  const [account, setAccount] = useState<Account>({ kind: "loading" });
  const [attempt, setAttempt] = useState(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `attempt` asks again.
  useEffect(() => {
    let current = true;
    let timer: ReturnType<typeof setTimeout> | undefined;
    findAccount(api).then((found) => {
      if (!current) return;
      setAccount(found);
      if (found.kind === "unreachable") {
        timer = setTimeout(() => setAttempt((count) => count + 1), RETRY_MS);
      }
    });
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [api, attempt]);

  useEffect(() => {
    api.onSignedOut = () => setAccount({ kind: "signed_out" });
    return () => {
      api.onSignedOut = null;
    };
  }, [api]);

  const signIn = useCallback(
    async (username: string, password: string) => {
      setAccount({ kind: "signed_in", user: await api.signIn(username, password) });
    },
    [api],
  );
  const claim = useCallback<ApiClient["claim"]>(
    async (body) => {
      const user = await api.claim(body);
      setAccount({ kind: "signed_in", user });
      return user;
    },
    [api],
  );
  const signOut = useCallback(async () => {
    // Signed out here in any case; the server ends an unused login by itself.
    await api.signOut().catch(() => {});
    setAccount({ kind: "signed_out" });
  }, [api]);
  const retry = useCallback(() => setAttempt((count) => count + 1), []);

  const value = useMemo(
    () => ({ api, account, signIn, claim, signOut, retry }),
    [api, account, signIn, claim, signOut, retry],
  );
  return <AccountContext value={value}>{children}</AccountContext>;
}

async function findAccount(api: ApiClient): Promise<Account> {
  try {
    const user = await api.resume();
    if (user) return { kind: "signed_in", user };
    return { kind: (await api.isClaimed()) ? "signed_out" : "unclaimed" };
  } catch (error) {
    // Any other refusal, such as too many attempts: signing in will say it in words.
    return { kind: isUnreachable(error) ? "unreachable" : "signed_out" };
  }
}

export function useAccount(): AccountContextValue {
  const value = useContext(AccountContext);
  if (!value) throw new Error("useAccount needs an AccountProvider above it");
  return value;
}

export function useApi(): ApiClient {
  return useAccount().api;
}

/** The signed-in user. Only for pages behind the sign-in. */
export function useUser(): User {
  const { account } = useAccount();
  if (account.kind !== "signed_in") throw new Error("useUser needs a signed-in account");
  return account.user;
}

export const isAdmin = (user: User) => user.role === "admin";
