// @ts-check
// Groups of bars as an SVG picture, for figures that span decades.

const COLOURS = ["#1c7ed6", "#f08c00", "#868e96", "#2f9e44"];
const [WIDTH, HEIGHT] = [860, 360];
const [LEFT, RIGHT, TOP, BOTTOM] = [64, 16, 56, 44];

/**
 * @param {{ title: string, unit: string, groups: string[],
 *   series: { name: string, values: (number | null)[] }[] }} chart one value for each group; `null`: there is none
 */
export function logarithmicBars({ title, unit, groups, series }) {
  const values = series.flatMap((one) => one.values).filter((value) => (value ?? 0) > 0);
  const lowest = 10 ** Math.floor(Math.log10(Math.min(...values.map(Number), 10)));
  const highest = 10 ** Math.ceil(Math.log10(Math.max(...values.map(Number), 10)));
  const decades = Math.max(1, Math.log10(highest / lowest));
  const room = { width: WIDTH - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
  /** @param {number} value */
  const y = (value) => TOP + room.height * (1 - Math.log10(value / lowest) / decades);

  const lines = Array.from({ length: Math.round(decades) + 1 }, (_, decade) => {
    const value = lowest * 10 ** decade;
    return (
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y(value)}" y2="${y(value)}" stroke="#dee2e6"/>` +
      `<text x="${LEFT - 8}" y="${y(value) + 4}" text-anchor="end">${value}</text>`
    );
  });
  const groupWidth = room.width / groups.length;
  const barWidth = (groupWidth * 0.8) / series.length;
  const bars = series.flatMap(({ values: own }, index) =>
    own.map((value, group) => {
      const x = LEFT + groupWidth * (group + 0.1) + barWidth * index;
      const middle = x + barWidth / 2;
      if (value === null || value <= 0)
        return `<text x="${middle}" y="${TOP + room.height - 6}" text-anchor="middle">none</text>`;
      const top = Math.min(y(value), TOP + room.height - 1);
      return (
        `<rect x="${x}" y="${top}" width="${barWidth - 3}" height="${TOP + room.height - top}" fill="${COLOURS[index % COLOURS.length]}"/>` +
        `<text x="${middle}" y="${top - 5}" text-anchor="middle">${value >= 10 ? Math.round(value) : value.toFixed(1)}</text>`
      );
    }),
  );
  const names = groups.map(
    (name, group) =>
      `<text x="${LEFT + groupWidth * (group + 0.5)}" y="${HEIGHT - 16}" text-anchor="middle">${escaped(name)}</text>`,
  );
  const legend = series.map(({ name }, index) => {
    const x = LEFT + index * 150;
    return (
      `<rect x="${x}" y="32" width="12" height="12" fill="${COLOURS[index % COLOURS.length]}"/>` +
      `<text x="${x + 18}" y="42">${escaped(name)}</text>`
    );
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${HEIGHT}" font-family="sans-serif" font-size="12" fill="#343a40">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="15">${escaped(title)} (${escaped(unit)}, logarithmic)</text>`,
    ...lines,
    ...bars,
    ...names,
    ...legend,
    "</svg>",
    "",
  ].join("\n");
}

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");
