import type { User } from "@guruconnect/api";

export type Role = User["role"];

/** What a person is to this server, in words; what each may do is decided by the server. */
export const ROLES = [
  { value: "technician", label: "Technician" },
  { value: "senior_technician", label: "Senior technician" },
  { value: "admin", label: "Administrator" },
];

/** What a role may do beyond the one before it. */
export const ROLE_HINTS: Record<string, string> = {
  technician: "Opens machines and helps customers.",
  senior_technician: "Also ends the sessions of others and answers for their customers.",
  admin: "Also manages people, machines, tokens and the audit log.",
};

export const describeRole = (role: Role) =>
  ROLES.find(({ value }) => value === role)?.label ?? role;

// Without characters that are taken for each other when they are read out.
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A password for the first sign-in: 79 bits, in groups that can be read out. */
export function makePassword(): string {
  const numbers = crypto.getRandomValues(new Uint32Array(16));
  const letters = Array.from(numbers, (number) => LETTERS[number % LETTERS.length]);
  return [0, 4, 8, 12].map((start) => letters.slice(start, start + 4).join("")).join("-");
}
