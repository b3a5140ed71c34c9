import {
  type CSSVariablesResolver,
  createTheme,
  localStorageColorSchemeManager,
} from "@mantine/core";

/** Petrol, from the mark. White on shades 6 and 7 passes WCAG AA. */
const petrol = [
  "#e8f5f3",
  "#d3eae6",
  "#a9d7d0",
  "#7fd6c8",
  "#4fb0a4",
  "#2e978b",
  "#187f77",
  "#0e6862",
  "#0b514d",
  "#0b3330",
] as const;

/** Greys with a breath of green, so that surfaces and the mark belong together. */
const gray = [
  "#f6f8f7",
  "#eff2f1",
  "#e3e8e6",
  "#d3dad7",
  "#b9c3bf",
  "#8f9c98",
  "#64716d",
  "#495653",
  "#2f3b38",
  "#17201e",
] as const;

const dark = [
  "#d9e1de",
  "#b7c2be",
  "#97a4a0",
  "#66746f",
  "#37433f",
  "#28322f",
  "#1e2725",
  "#161e1c",
  "#101715",
  "#0b100f",
] as const;

/** For what cannot be undone. White on shades 6 and 7 passes WCAG AA. */
const red = [
  "#fdf1ef",
  "#fbe0dc",
  "#f6bdb5",
  "#f39a8e",
  "#f0857a",
  "#dd5b4d",
  "#c73a2c",
  "#b42318",
  "#8f1c13",
  "#6b150e",
] as const;

export const theme = createTheme({
  primaryColor: "petrol",
  primaryShade: { light: 7, dark: 6 },
  colors: { petrol, gray, dark, red },
  black: "#17201e",
  fontFamily:
    'Inter, "Segoe UI Variable Text", "Segoe UI", system-ui, -apple-system, Roboto, "Noto Sans", "Liberation Sans", sans-serif',
  fontFamilyMonospace:
    'ui-monospace, "Cascadia Mono", "SF Mono", Menlo, Consolas, "Liberation Mono", monospace',
  fontSizes: { xs: "0.75rem", sm: "0.8125rem", md: "0.875rem", lg: "1rem", xl: "1.25rem" },
  lineHeights: { xs: "1.35", sm: "1.4", md: "1.45", lg: "1.5", xl: "1.4" },
  headings: {
    fontWeight: "620",
    sizes: {
      h1: { fontSize: "1.25rem", lineHeight: "1.3" },
      h2: { fontSize: "0.9375rem", lineHeight: "1.35" },
      h3: { fontSize: "0.8125rem", lineHeight: "1.35" },
    },
  },
  defaultRadius: "sm",
  radius: { sm: "6px", md: "8px", lg: "12px" },
  cursorType: "pointer",
  focusRing: "auto",
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: "sm" } },
    TextInput: { defaultProps: { size: "sm" } },
    PasswordInput: { defaultProps: { size: "sm" } },
    Select: { defaultProps: { size: "sm", allowDeselect: false } },
    Modal: {
      defaultProps: { centered: true, radius: "lg", closeButtonProps: { "aria-label": "Close" } },
    },
    Drawer: { defaultProps: { closeButtonProps: { "aria-label": "Close" } } },
    Tooltip: { defaultProps: { openDelay: 400, withArrow: true } },
  },
});

/** The few colours that Mantine has no name for. */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    "--mantine-color-dimmed": "#5a6763",
    "--mantine-color-error": "#b42318",
    "--mantine-color-placeholder": "#6b7874",
    "--gc-page": "#f1f4f3",
    "--gc-surface": "#ffffff",
    "--gc-raised": "#ffffff",
    "--gc-line": "#dde3e0",
    "--gc-hover": "#eef4f2",
    "--gc-selected": "#e2f1ee",
    "--gc-online": "#0d734b",
    "--gc-busy": "#9c5109",
    "--gc-offline": "#8a9692",
    "--gc-link": "#0e6862",
    "--gc-soft": "#dcefec",
    "--gc-soft-hover": "#c8e5e0",
    "--gc-danger-soft": "#fdf1ef",
    "--gc-warn-soft": "#fdf5e6",
    "--gc-warn-line": "#e9cf9a",
    "--gc-warn-text": "#6f4706",
  },
  dark: {
    "--mantine-color-body": "#161e1c",
    "--mantine-color-dimmed": "#98a6a1",
    "--mantine-color-error": "#ff9c8f",
    "--gc-page": "#0f1514",
    "--gc-surface": "#161e1c",
    "--gc-raised": "#1b2422",
    "--gc-line": "#28332f",
    "--gc-hover": "#1d2725",
    "--gc-selected": "#1a302d",
    "--gc-online": "#4cc38a",
    "--gc-busy": "#f2b84b",
    "--gc-offline": "#6d7a76",
    "--gc-link": "#7fd6c8",
    "--gc-soft": "#19332f",
    "--gc-soft-hover": "#21443f",
    "--gc-danger-soft": "#2c1b19",
    "--gc-warn-soft": "#2a2214",
    "--gc-warn-line": "#57451c",
    "--gc-warn-text": "#f0cf8c",
  },
});

export const colorSchemeManager = localStorageColorSchemeManager({
  key: "guruconnect.color-scheme",
});
