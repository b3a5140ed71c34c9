import { ApiError } from "@guruconnect/api";
import { QueryClient } from "@tanstack/react-query";

/** What the server refused will be refused again; anything else is worth a few tries. */
const shouldRetry = (failures: number, error: unknown) =>
  failures < 2 && !(error instanceof ApiError && error.status < 500);

export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: shouldRetry,
        // The event stream says when something changed.
        staleTime: 30_000,
        refetchOnWindowFocus: false,
        // Whether there is a network is found out by asking: a server on the same machine needs none.
        networkMode: "always",
      },
      mutations: { networkMode: "always" },
    },
  });
}
