// @ts-check
// Keyboards as a browser reports them: which key (its place, `code`) with which modifiers
// makes which character. Enough of each layout for text in its language.

/** @typedef {{ code: string, shift?: boolean, altGraph?: boolean }} Stroke */

/** @param {string} characters @param {(place: number) => Stroke} stroke @returns {[string, Stroke][]} */
const each = (characters, stroke) =>
  [...characters].map((character, place) => [character, stroke(place)]);

const DIGITS = "1234567890";
/** @param {number} place */
const digit = (place) => `Digit${DIGITS[place]}`;
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

/** @param {Record<string, string>} moved letters that stand in another place than in the United States */
function letters(moved = {}) {
  const code = (/** @type {number} */ place) =>
    `Key${(moved[LETTERS[place]] ?? LETTERS[place]).toUpperCase()}`;
  return [
    ...each(LETTERS, (place) => ({ code: code(place) })),
    ...each(LETTERS.toUpperCase(), (place) => ({ code: code(place), shift: true })),
  ];
}

const COMMON = /** @type {[string, Stroke][]} */ ([
  [" ", { code: "Space" }],
  [",", { code: "Comma" }],
  [".", { code: "Period" }],
  ...each(DIGITS, (place) => ({ code: digit(place) })),
]);

/** @type {Record<'us' | 'german', Map<string, Stroke>>} */
export const KEYBOARDS = {
  us: new Map([
    ...COMMON,
    ...letters(),
    ...each("!@#$%^&*()", (place) => ({ code: digit(place), shift: true })),
    ["-", { code: "Minus" }],
    ["_", { code: "Minus", shift: true }],
    ["=", { code: "Equal" }],
    ["+", { code: "Equal", shift: true }],
    ["[", { code: "BracketLeft" }],
    ["{", { code: "BracketLeft", shift: true }],
    ["]", { code: "BracketRight" }],
    ["}", { code: "BracketRight", shift: true }],
    ["\\", { code: "Backslash" }],
    ["|", { code: "Backslash", shift: true }],
    [";", { code: "Semicolon" }],
    [":", { code: "Semicolon", shift: true }],
    ["'", { code: "Quote" }],
    ['"', { code: "Quote", shift: true }],
    ["`", { code: "Backquote" }],
    ["~", { code: "Backquote", shift: true }],
    ["<", { code: "Comma", shift: true }],
    [">", { code: "Period", shift: true }],
    ["/", { code: "Slash" }],
    ["?", { code: "Slash", shift: true }],
  ]),
  german: new Map([
    ...COMMON,
    ...letters({ y: "z", z: "y" }),
    ...each('!"§$%&/()=', (place) => ({ code: digit(place), shift: true })),
    ["ä", { code: "Quote" }],
    ["Ä", { code: "Quote", shift: true }],
    ["ö", { code: "Semicolon" }],
    ["Ö", { code: "Semicolon", shift: true }],
    ["ü", { code: "BracketLeft" }],
    ["Ü", { code: "BracketLeft", shift: true }],
    ["ß", { code: "Minus" }],
    ["?", { code: "Minus", shift: true }],
    ["+", { code: "BracketRight" }],
    ["*", { code: "BracketRight", shift: true }],
    ["#", { code: "Backslash" }],
    ["'", { code: "Backslash", shift: true }],
    ["-", { code: "Slash" }],
    ["_", { code: "Slash", shift: true }],
    [";", { code: "Comma", shift: true }],
    [":", { code: "Period", shift: true }],
    ["<", { code: "IntlBackslash" }],
    [">", { code: "IntlBackslash", shift: true }],
    ["@", { code: "KeyQ", altGraph: true }],
    ["€", { code: "KeyE", altGraph: true }],
    ["{", { code: "Digit7", altGraph: true }],
    ["[", { code: "Digit8", altGraph: true }],
    ["]", { code: "Digit9", altGraph: true }],
    ["}", { code: "Digit0", altGraph: true }],
    ["\\", { code: "Minus", altGraph: true }],
    ["|", { code: "IntlBackslash", altGraph: true }],
    ["~", { code: "BracketRight", altGraph: true }],
  ]),
};
