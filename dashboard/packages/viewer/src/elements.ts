/** What a viewer puts into the page: the scrolling picture, the drawn pointer, the hidden text field. */
export function buildElements() {
  const root = document.createElement("div");
  Object.assign(root.style, {
    position: "relative",
    width: "100%",
    height: "100%",
    overflow: "hidden",
    background: "#0b0f10",
  });

  const viewport = document.createElement("div");
  Object.assign(viewport.style, {
    position: "absolute",
    inset: "0",
    overflow: "auto",
    display: "grid",
    // `safe`: a picture larger than its room must be reachable from its first pixel.
    placeContent: "safe center",
  });

  const canvas = document.createElement("canvas");
  canvas.width = 1;
  canvas.height = 1;
  canvas.dataset.testid = "remote-screen";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Screen of the remote machine");
  Object.assign(canvas.style, {
    display: "block",
    touchAction: "none",
    userSelect: "none",
    transition: "opacity 120ms",
  });

  const overlay = document.createElement("canvas");
  overlay.setAttribute("aria-hidden", "true");
  Object.assign(overlay.style, {
    position: "absolute",
    left: "0",
    top: "0",
    pointerEvents: "none",
  });

  const field = document.createElement("textarea");
  field.setAttribute(
    "aria-label",
    "Keyboard of the remote machine. Press Control, Alt and Shift together to leave.",
  );
  field.autocapitalize = "off";
  field.autocomplete = "off";
  field.spellcheck = false;
  field.setAttribute("autocorrect", "off");
  field.rows = 1;
  Object.assign(field.style, {
    position: "absolute",
    left: "50%",
    bottom: "0",
    width: "1px",
    height: "1px",
    padding: "0",
    border: "0",
    outline: "0",
    resize: "none",
    opacity: "0",
    // 16 px: a phone zooms the page into fields with smaller text.
    fontSize: "16px",
    pointerEvents: "none",
  });

  viewport.append(canvas, overlay);
  root.append(viewport, field);
  return { root, viewport, canvas, overlay, field };
}
