import { useEffect } from "react";

/** The tab's title, for as long as the component is there. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · GuruConnect`;
    return () => {
      document.title = "GuruConnect";
    };
  }, [title]);
}
