// @ts-check
// Keyboards as a browser reports them: which key (its place, `code`) with which modifiers
// makes which character. Enough of each layout for text in its language.

/**
 * `dead`: the key that is pressed before, and shows nothing by itself.
 * @typedef {{ code: string, shift?: boolean, altGraph?: boolean }} Press
 * @typedef {Press & { dead?: Press }} Stroke
 */

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

/** @param {string} code @param {string} plain @param {string} [shifted] @param {string} [altGraph] @returns {[string, Stroke][]} */
function key(code, plain, shifted, altGraph) {
  return [
    ...(plain ? [/** @type {[string, Stroke]} */ ([plain, { code }])] : []),
    ...(shifted ? [/** @type {[string, Stroke]} */ ([shifted, { code, shift: true }])] : []),
    ...(altGraph ? [/** @type {[string, Stroke]} */ ([altGraph, { code, altGraph: true }])] : []),
  ];
}

/** Letters with an accent that is a key of its own. @param {Press} dead @param {string} accented @param {string} plain */
const accents = (dead, accented, plain) =>
  each(accented, (place) => {
    const letter = plain[place] ?? "";
    const shift = letter !== letter.toLowerCase();
    return { code: `Key${letter.toUpperCase()}`, ...(shift && { shift }), dead };
  });

/** @type {Record<'us' | 'german' | 'french' | 'swiss' | 'portuguese' | 'czech' | 'japanese', Map<string, Stroke>>} */
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
  french: new Map([
    ...COMMON,
    ...letters({ a: "q", q: "a", z: "w", w: "z" }),
    ...key("Semicolon", "m", "M"),
    ...each("&é\"'(-è_çà", (place) => ({ code: digit(place) })),
    ...each(DIGITS, (place) => ({ code: digit(place), shift: true })),
    ...each("#{[", (place) => ({ code: digit(place + 2), altGraph: true })),
    ...each("\\^@", (place) => ({ code: digit(place + 7), altGraph: true })),
    ...key("Minus", ")", "°", "]"),
    ...key("Equal", "=", "+", "}"),
    ...key("KeyE", "e", "E", "€"),
    ...key("KeyM", ",", "?"),
    ...key("Comma", ";", "."),
    ...key("Period", ":", "/"),
    ...key("Slash", "!", "§"),
    ...key("Quote", "ù", "%"),
    ...key("Backslash", "*", "µ"),
    ...key("BracketRight", "$", "£"),
    ...key("IntlBackslash", "<", ">"),
    ...accents({ code: "BracketLeft" }, "âêîôû", "aeiou"),
    ...accents({ code: "BracketLeft", shift: true }, "ëïüÏ", "eiuI"),
  ]),
  swiss: new Map([
    ...COMMON,
    ...letters({ y: "z", z: "y" }),
    ...each('+"*ç%&/()=', (place) => ({ code: digit(place), shift: true })),
    ...each("@#", (place) => ({ code: digit(place + 1), altGraph: true })),
    ...key("Digit7", "7", "/", "|"),
    ...key("Minus", "'", "?"),
    ...key("BracketLeft", "ü", "è", "["),
    ...key("BracketRight", "", "!", "]"),
    ...key("Semicolon", "ö", "é"),
    ...key("Quote", "ä", "à", "{"),
    ...key("Backslash", "$", "£", "}"),
    ...key("Comma", ",", ";"),
    ...key("Period", ".", ":"),
    ...key("Slash", "-", "_"),
    ...key("IntlBackslash", "<", ">", "\\"),
    ...key("Backquote", "§", "°"),
    ...key("KeyE", "e", "E", "€"),
    ...accents({ code: "Equal" }, "âêîôû", "aeiou"),
    ...accents({ code: "BracketRight" }, "ëïÄÖÜ", "eiAOU"),
  ]),
  portuguese: new Map([
    ...COMMON,
    ...letters(),
    ...each('!"#$%&/()=', (place) => ({ code: digit(place), shift: true })),
    ...each("@£§", (place) => ({ code: digit(place + 1), altGraph: true })),
    ...each("{[]}", (place) => ({ code: digit(place + 6), altGraph: true })),
    ...key("Minus", "'", "?"),
    ...key("Equal", "«", "»"),
    ...key("BracketLeft", "+", "*"),
    ...key("Semicolon", "ç", "Ç"),
    ...key("Quote", "º", "ª"),
    ...key("Comma", ",", ";"),
    ...key("Period", ".", ":"),
    ...key("Slash", "-", "_"),
    ...key("IntlBackslash", "<", ">"),
    ...key("Backquote", "\\", "|"),
    ...key("KeyE", "e", "E", "€"),
    ...accents({ code: "BracketRight" }, "áéíóúÁ", "aeiouA"),
    ...accents({ code: "BracketRight", shift: true }, "àÀ", "aA"),
    ...accents({ code: "Backslash" }, "ãõñ", "aon"),
    ...accents({ code: "Backslash", shift: true }, "âêô", "aeo"),
  ]),
  czech: new Map([
    ...COMMON,
    ...letters({ y: "z", z: "y" }),
    ...each("+ěščřžýáíé", (place) => ({ code: digit(place) })),
    ...each(DIGITS, (place) => ({ code: digit(place), shift: true })),
    ...key("Minus", "=", "%"),
    ...key("BracketLeft", "ú", "/"),
    ...key("BracketRight", ")", "("),
    ...key("Semicolon", "ů", '"'),
    ...key("Quote", "§", "!"),
    ...key("Comma", ",", "?"),
    ...key("Period", ".", ":"),
    ...key("Slash", "-", "_"),
    ...key("Backquote", ";"),
    ...key("KeyV", "v", "V", "@"),
    ...key("KeyC", "c", "C", "&"),
    ...key("KeyX", "x", "X", "#"),
    ...key("KeyF", "f", "F", "["),
    ...key("KeyG", "g", "G", "]"),
    ...key("KeyE", "e", "E", "€"),
    ...accents({ code: "Equal" }, "óÓÉ", "oOE"),
    ...accents({ code: "Equal", shift: true }, "ďťňŘŠ", "dtnRS"),
  ]),
  japanese: new Map([
    ...COMMON,
    ...letters(),
    ...each("!\"#$%&'()", (place) => ({ code: digit(place), shift: true })),
    ...key("Minus", "-", "="),
    ...key("Equal", "^", "~"),
    ...key("IntlYen", "¥", "|"),
    ...key("BracketLeft", "@", "`"),
    ...key("BracketRight", "[", "{"),
    ...key("Semicolon", ";", "+"),
    ...key("Quote", ":", "*"),
    ...key("Backslash", "]", "}"),
    ...key("Comma", ",", "<"),
    ...key("Period", ".", ">"),
    ...key("Slash", "/", "?"),
    ...key("IntlRo", "\\", "_"),
  ]),
};
