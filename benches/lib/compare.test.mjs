// @ts-check
// What the reports say of a figure of ours beside those of the others.

import assert from "node:assert/strict";
import { test } from "node:test";
import { compare, OURS, perUpdate } from "./compare.mjs";

/** @typedef {import('./compare.mjs').Contender} Contender */

/** @param {Omit<Contender, 'stack'>} ours @param {Contender[]} others @param {number} [aim] */
function judged(ours, others, aim = 0.5) {
  const contenders = [{ stack: OURS, ...ours }, ...others];
  const found = compare(contenders, aim, { figure: String, reason: "the line is long" });
  assert.ok(found);
  const [own, other, ratio, , verdict] = found.cells;
  return { own, other, ratio, verdict };
}

test("the best of the others is what ours is held against", () => {
  const others = [
    { stack: "near", value: 40 },
    { stack: "far", value: 90 },
  ];

  assert.deepEqual(judged({ value: 20 }, others), {
    own: "20",
    other: "40 (near)",
    ratio: "0.50",
    verdict: "holds",
  });
});

test("an aim that is missed is marked, with its reason", () => {
  const { ratio, verdict } = judged({ value: 30 }, [{ stack: "near", value: 40 }]);

  assert.equal(ratio, "0.75");
  assert.equal(verdict, "**missed**: the line is long");
});

test("who leaves updates out is named, and is not the best", () => {
  const others = [
    { stack: "sparse", value: 10, shown: 6 },
    { stack: "whole", value: 40, shown: 10 },
  ];

  const { other, verdict } = judged({ value: 20, shown: 10 }, others);

  assert.equal(other, "40 (whole) [10 (sparse, 60 % shown)]");
  assert.equal(verdict, "holds");
});

test("when all the others leave updates out, the one that shows most is the best", () => {
  const others = [
    { stack: "sparse", value: 10, shown: 1 },
    { stack: "denser", value: 40, shown: 5 },
  ];

  assert.match(judged({ value: 20, shown: 10 }, others).other, /^40 \(denser, 50 % shown\)/);
});

test("a good figure of ours does not count when we leave updates out", () => {
  const { verdict } = judged({ value: 1, shown: 5 }, [{ stack: "near", value: 40, shown: 10 }]);

  assert.equal(verdict, "**does not count**: we show 50 % of its updates");
});

test("a good figure of ours does not count when our picture is less exact", () => {
  const { verdict } = judged({ value: 1, ssim: 0.97 }, [{ stack: "near", value: 40, ssim: 0.98 }]);

  assert.equal(verdict, "**does not count**: our picture is less exact");
});

test("showing nothing is a miss", () => {
  const { own, verdict } = judged({ value: null }, [{ stack: "near", value: 40 }]);

  assert.equal(own, "nothing shown");
  assert.equal(verdict, "**missed**: we show nothing");
});

test("a stack of ours that did not come to its end is a miss", () => {
  const found = compare([{ stack: "near", value: 40 }], 0.5, { figure: String });

  assert.equal(found?.cells.at(-1), "**missed**: we show nothing");
});

test("what is too little to measure is nobody's best", () => {
  const others = [
    { stack: "idle", value: 0 },
    { stack: "near", value: 40 },
  ];

  assert.equal(judged({ value: 20 }, others).other, "40 (near)");
});

test("without others there is nothing to compare", () => {
  assert.equal(compare([{ stack: OURS, value: 1 }], 0.5, { figure: String }), null);
});

test("nothing shown has no figure for each update", () => {
  assert.equal(perUpdate(100, 4), 25);
  assert.equal(perUpdate(100, 0), null);
});
