import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { MemoryRouter } from "react-router";
import { App } from "../App.tsx";
import { createQueryClient } from "../queries.ts";
import type { FakeServer } from "./server.ts";

/** The whole dashboard at an address, in front of a made-up server. */
export function open(path: string, server: FakeServer) {
  const queries = createQueryClient();
  queries.setDefaultOptions({
    queries: { ...queries.getDefaultOptions().queries, retry: false },
  });
  render(
    <MemoryRouter initialEntries={[path]}>
      <App api={server.client()} queries={queries} env="test" />
    </MemoryRouter>,
  );
  return { user: userEvent.setup({ delay: null }), screen };
}
