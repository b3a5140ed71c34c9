import {
  type FocusEvent,
  type PointerEvent,
  useCallback,
  useEffect,
  useRef,
  useState,
} from "react";

/** Long enough to come back, short enough not to be in the way. */
const HIDE_MS = 1_400;
/** At first the bar shows itself a little longer. */
const FIRST_MS = 3_500;

/** Hides something while nobody points at it or has the focus in it. */
export function useAutoHide(active: boolean) {
  const [hidden, setHidden] = useState(false);
  const inUse = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);

  const hideLater = useCallback((ms: number) => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => {
      if (!inUse.current) setHidden(true);
    }, ms);
  }, []);
  const show = useCallback(() => {
    setHidden(false);
    hideLater(FIRST_MS);
  }, [hideLater]);

  useEffect(() => {
    setHidden(false);
    if (active) hideLater(FIRST_MS);
    return () => clearTimeout(timer.current);
  }, [active, hideLater]);

  const enter = () => {
    inUse.current = true;
    clearTimeout(timer.current);
    setHidden(false);
  };
  const leave = () => {
    inUse.current = false;
    if (active) hideLater(HIDE_MS);
  };
  return {
    hidden: active && hidden,
    show,
    handlers: {
      onPointerEnter: (event: PointerEvent) => {
        // A finger never hovers: its taps reach the handle.
        if (event.pointerType !== "touch") enter();
      },
      onPointerLeave: leave,
      onFocus: enter,
      onBlur: (event: FocusEvent<HTMLElement>) => {
        if (!event.currentTarget.contains(event.relatedTarget)) leave();
      },
    },
  };
}
