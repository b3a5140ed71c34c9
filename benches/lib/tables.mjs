// @ts-check

/** A Markdown table. @param {string[]} head @param {string[][]} rows */
export function table(head, rows) {
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** @template T @param {T[]} values */
export const unique = (values) => [...new Set(values)];
