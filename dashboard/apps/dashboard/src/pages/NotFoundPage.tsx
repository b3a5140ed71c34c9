import { Button } from "@mantine/core";
import { Link } from "react-router";
import { EmptyState } from "../components/states.tsx";
import { useTitle } from "../useTitle.ts";

export function NotFoundPage() {
  useTitle("Not found");
  return (
    <EmptyState
      title="There is nothing at this address"
      action={
        <Button component={Link} to="/" variant="default">
          To the machines
        </Button>
      }
    >
      The link may be old, or what it led to was removed.
    </EmptyState>
  );
}
