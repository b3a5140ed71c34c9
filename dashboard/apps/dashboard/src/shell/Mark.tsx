/** A G that reaches for a point: the product's mark. */
export function Mark({ size = 28 }: { size?: number }) {
  return (
    <svg viewBox="0 0 32 32" width={size} height={size} aria-hidden="true" focusable="false">
      <path
        d="M23.6 10.4A9.4 9.4 0 1 0 25.4 16H17"
        fill="none"
        stroke="var(--gc-mark, #7fd6c8)"
        strokeWidth="3.2"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="16" r="2.9" fill="#f2b84b" />
    </svg>
  );
}
