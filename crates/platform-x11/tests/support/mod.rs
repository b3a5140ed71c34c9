//! An application on an X display that draws what a test asks for and writes
//! down what it receives, reading its keyboard layout as toolkits do: when it
//! handles a key press, after the layout changes that were announced before it.

use gc_model::geometry::Rect;
use gc_model::input::MouseButton;
use gc_model::key::Usage;
use gc_platform::conformance::{Received, Stage};
use x11rb::connection::Connection as _;
use x11rb::protocol::Event;
use x11rb::protocol::xkb::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{
    ChangeGCAux, ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, InputFocus,
    KeyPressEvent, Rectangle, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;
use xkeysym::Keysym;

/// `XkbUseCoreKbd`.
const CORE_KEYBOARD: u16 = 0x0100;

pub(crate) struct Window {
    x: RustConnection,
    id: u32,
    gc: u32,
    area: Rect,
    layout: Option<Layout>,
}

struct Layout {
    first: u8,
    types: Vec<xkb::KeyType>,
    keys: Vec<xkb::KeySymMap>,
}

impl Window {
    pub(crate) fn open(display: &str, area: Rect) -> Self {
        let (x, screen) = RustConnection::connect(Some(display)).expect("connect to Xvfb");
        x.xkb_use_extension(1, 0)
            .expect("send")
            .reply()
            .expect("XKB");
        let changes = xkb::EventType::NEW_KEYBOARD_NOTIFY | xkb::EventType::MAP_NOTIFY;
        let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS;
        let details = xkb::SelectEventsAux::new();
        x.xkb_select_events(CORE_KEYBOARD, 0_u16.into(), changes, parts, parts, &details)
            .expect("send");
        let root = x.setup().roots[screen].root;
        let (window, gc) = (x.generate_id().expect("id"), x.generate_id().expect("id"));
        let events = EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::EXPOSURE;
        let attributes = CreateWindowAux::new()
            .event_mask(events)
            .background_pixel(0)
            .override_redirect(1);
        let (left, top) = (area.x as i16, area.y as i16);
        let (width, height) = (area.width as u16, area.height as u16);
        let class = WindowClass::INPUT_OUTPUT;
        x.create_window(
            0,
            window,
            root,
            left,
            top,
            width,
            height,
            0,
            class,
            0,
            &attributes,
        )
        .expect("send");
        x.create_gc(gc, window, &CreateGCAux::new()).expect("send");
        x.map_window(window).expect("send");
        x.set_input_focus(InputFocus::NONE, window, x11rb::CURRENT_TIME)
            .expect("send");
        x.sync().expect("the window is there");
        Self {
            x,
            id: window,
            gc,
            area,
            layout: None,
        }
    }

    fn text_of(&mut self, press: &KeyPressEvent) -> Option<String> {
        let layout = self.layout.get_or_insert_with(|| read_layout(&self.x));
        let symbol = layout.keysym(press)?;
        let character = Keysym::new(symbol)
            .key_char()
            .filter(|character| !character.is_control())?;
        Some(character.to_string())
    }
}

impl Stage for Window {
    fn area(&self) -> Rect {
        self.area
    }

    fn fill(&mut self, rect: Rect, [blue, green, red]: [u8; 3]) {
        let pixel = u32::from_be_bytes([0, red, green, blue]);
        self.x
            .change_gc(self.gc, &ChangeGCAux::new().foreground(pixel))
            .expect("send");
        let rect = Rectangle {
            x: (rect.x - self.area.x) as i16,
            y: (rect.y - self.area.y) as i16,
            width: rect.width as u16,
            height: rect.height as u16,
        };
        self.x
            .poly_fill_rectangle(self.id, self.gc, &[rect])
            .expect("send");
        self.x.sync().expect("drawn");
    }

    fn received(&mut self) -> Vec<Received> {
        let mut received = Vec::new();
        while let Some(event) = self.x.poll_for_event().expect("X server") {
            match event {
                Event::MappingNotify(_)
                | Event::XkbMapNotify(_)
                | Event::XkbNewKeyboardNotify(_) => self.layout = None,
                Event::KeyPress(press) => {
                    received.extend(
                        usage_of(press.detail).map(|usage| Received::Key { usage, down: true }),
                    );
                    received.extend(self.text_of(&press).map(Received::Text));
                }
                Event::KeyRelease(release) => {
                    received.extend(
                        usage_of(release.detail).map(|usage| Received::Key { usage, down: false }),
                    );
                }
                Event::ButtonPress(event) => received.extend(button(event.detail, true)),
                Event::ButtonRelease(event) => received.extend(button(event.detail, false)),
                _ => {}
            }
        }
        received
    }
}

impl Layout {
    fn keysym(&self, press: &KeyPressEvent) -> Option<u32> {
        let state = u16::from(press.state);
        let key = &self.keys[usize::from(press.detail - self.first)];
        let groups = u16::from(key.group_info & 0x0f);
        let group = (state >> 13 & 3).checked_rem(groups)?;
        let chosen = &self.types[usize::from(key.kt_index[usize::from(group)])];
        let mods = state & u16::from(chosen.mods_mask);
        let level = chosen
            .map
            .iter()
            .find(|entry| entry.active && u16::from(entry.mods_mask) == mods);
        let level = level.map_or(0, |entry| usize::from(entry.level));
        key.syms
            .get(usize::from(group) * usize::from(key.width) + level)
            .copied()
            .filter(|&symbol| symbol != 0)
    }
}

fn read_layout(x: &RustConnection) -> Layout {
    let parts = xkb::MapPart::KEY_TYPES | xkb::MapPart::KEY_SYMS;
    let reply = x
        .xkb_get_map(
            CORE_KEYBOARD,
            parts,
            0_u16.into(),
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0,
            0_u16.into(),
            0,
            0,
            0,
            0,
            0,
            0,
        )
        .expect("send")
        .reply()
        .expect("layout");
    let types = reply.map.types_rtrn.expect("asked for");
    Layout {
        first: reply.first_key_sym,
        types,
        keys: reply.map.syms_rtrn.expect("asked for"),
    }
}

fn usage_of(keycode: u8) -> Option<Usage> {
    let evdev = u16::from(keycode) - 8;
    (1..=0xe7)
        .filter_map(Usage::new)
        .find(|usage| usage.evdev() == Some(evdev))
}

fn button(number: u8, down: bool) -> Option<Received> {
    let button = match number {
        1 => MouseButton::Left,
        2 => MouseButton::Middle,
        3 => MouseButton::Right,
        8 => MouseButton::Back,
        9 => MouseButton::Forward,
        4..=7 if down => {
            let (x, y) = [(0, -120), (0, 120), (-120, 0), (120, 0)][usize::from(number - 4)];
            return Some(Received::Wheel { x, y });
        }
        _ => return None,
    };
    Some(Received::Button { button, down })
}
